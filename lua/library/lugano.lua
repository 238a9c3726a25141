---@meta lugano
-- Printed by lugano --stubs, for editors. It is not to be edited.

---@class lugano.Tensor
---@field shape integer[] the sizes
---@operator add(lugano.Tensor|number): lugano.Tensor
---@operator sub(lugano.Tensor|number): lugano.Tensor
---@operator mul(lugano.Tensor|number): lugano.Tensor
---@operator div(lugano.Tensor|number): lugano.Tensor
---@operator pow(lugano.Tensor|number): lugano.Tensor
---@operator unm: lugano.Tensor
---@operator len: integer
---@field [integer] lugano.Tensor a row
local Tensor = {}

---A net, or a part of one. Calling it computes.
---@class lugano.Net
---@overload fun(...): lugano.Tensor
local Net = {}

---A tap on an inner part of a net.
---@class lugano.Tap
local Tap = {}

---An optimizer of a net's parameters.
---@class lugano.Optimizer
---@field lr number of the next update; setting it sets that of all groups
---@field groups table[] their options
---@field grad_norm number|nil of all gradients of the latest update
local Optimizer = {}

---A training run and its folder.
---@class lugano.Run
local Run = {}

---A set of images, and labels if there are some.
---@class lugano.Dataset
local Dataset = {}

---A net's moving average.
---@class lugano.Average
local Average = {}

---Earlier samples, for the critic.
---@class lugano.Pool
local Pool = {}

---Augmentation that adapts.
---@class lugano.Ada
local Ada = {}

---LeCam's penalty and its averages.
---@class lugano.LeCam
local LeCam = {}

---The path length penalty and its mean.
---@class lugano.PathLength
local PathLength = {}

---A picture.
---@class lugano.Picture
local Picture = {}

---@class lugano
---@field version string
---@field element "float"|"double" the type of elements
local lg = {}

---Makes the first NaN or Inf, forward or backward, an error that names who made it.
---@param on boolean
function lg.anomaly(on) end

---The bytes in use now, and the most there were.
---@return integer
---@return integer
function lg.bytes() end

---Makes convolutions do all multiplications that their definition names. Else they do
---fewer where that saves time (Winograd's forms), with errors of up to some 2e-5 of the
---largest result instead of 1e-6.
---@param on boolean
function lg.exact(on) end

---Reads or sets the most bytes that there may be; 0: any.
---@param bytes? integer
---@return integer
function lg.memory_limit(bytes) end

---Calls f(...) without recording a history, and returns what it returns.
---@param f function
---@param ... any
---@return any ...
function lg.no_grad(f, ...) end

---Every operator's descriptor: name, args, results, doc, samples.
---@return table[]
function lg.operators() end

---Begins the random numbers anew.
---@param n integer
function lg.seed(n) end

---The numbers first, first + step, ... up to last, which counts; arange(n) is 1 .. n.
---Rounding is forgiven: arange(0, 0.3, 0.1) has four numbers.
---@param first number
---@param last number
---@param step? number
---@return lugano.Tensor
function lg.arange(first, last, step) end

---The unit matrix: {n,m} with ones on the diagonal, else zeros.
---@param n number
---@param m? number
---@return lugano.Tensor
function lg.eye(n, m) end

---A table of sizes filled with value.
---@param dims integer[]
---@param value number
---@return lugano.Tensor
function lg.full(dims, value) end

---n numbers at equal steps from first to last, both of them exact; of one, first.
---@param first number
---@param last number
---@param n number
---@return lugano.Tensor
function lg.linspace(first, last, n) end

---For each label, a whole number from 1 to classes, a one at its place among zeros: the
---shape of labels with classes as one more axis.
---@param labels lugano.Tensor
---@param classes number
---@return lugano.Tensor
function lg.one_hot(labels, classes) end

---Ones.
---@param ... integer|integer[]
---@return lugano.Tensor
function lg.ones(...) end

---Ones of the shape of x.
---@param x lugano.Tensor
---@return lugano.Tensor
function lg.ones_like(x) end

---Random numbers, uniform from 0 up to but not 1.
---@param ... integer|integer[]
---@return lugano.Tensor
function lg.rand(...) end

---Random whole numbers from low to high. Both count: randint(1, 10, 64) has 64 labels of
---10 classes.
---@param low number
---@param high number
---@param ... integer|integer[]
---@return lugano.Tensor
function lg.randint(low, high, ...) end

---Random numbers, normal with mean 0 and variance 1.
---@param ... integer|integer[]
---@return lugano.Tensor
function lg.randn(...) end

---Normal random numbers of the shape of x.
---@param x lugano.Tensor
---@return lugano.Tensor
function lg.randn_like(x) end

---The whole numbers 1 .. n in a random order: {n}.
---@param n number
---@return lugano.Tensor
function lg.randperm(n) end

---A number, or nested tables of numbers, as a tensor.
---@param numbers number|table
---@return lugano.Tensor
function lg.tensor(numbers) end

---Zeros. dims are numbers or a table, as for all of these.
---@param ... integer|integer[]
---@return lugano.Tensor
function lg.zeros(...) end

---Zeros of the shape of x.
---@param x lugano.Tensor
---@return lugano.Tensor
function lg.zeros_like(x) end

---The absolute value of x. At 0 its gradient is 0. The result has the shape of x.
---@param x lugano.Tensor|number
---@return lugano.Tensor y
function lg.abs(x) end
Tensor.abs = lg.abs

---Images x {n,c,h,w} made {n,c,oh,ow}, where out is {oh,ow}: row i is the mean of the
---rows from floor(i*h/oh) to before ceil((i+1)*h/oh), i from 0, and columns likewise.
---@param x lugano.Tensor|number
---@param out integer|integer[]
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { out: integer|integer[] }): lugano.Tensor
function lg.adaptive_avg_pool2d(x, out) end
Tensor.adaptive_avg_pool2d = lg.adaptive_avg_pool2d

---The transpose of adaptive_avg_pool2d, its gradient: g {n,c,oh,ow} shared out over
---images {n,c,h,w}, where size is {h,w}.
---@param g lugano.Tensor|number
---@param size integer|integer[]
---@return lugano.Tensor y
---@overload fun(g: lugano.Tensor|number, options: { size: integer|integer[] }): lugano.Tensor
function lg.adaptive_avg_pool2d_back(g, size) end
Tensor.adaptive_avg_pool2d_back = lg.adaptive_avg_pool2d_back

---The sum a + b. Shapes broadcast: aligned at the last axis, sizes are equal or 1.
---@param a lugano.Tensor|number
---@param b lugano.Tensor|number
---@return lugano.Tensor y
function lg.add(a, b) end
Tensor.add = lg.add

---x * mul + add, of x's shape.
---@param x lugano.Tensor|number
---@param mul? number
---@param add? number
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { mul?: number, add?: number }): lugano.Tensor
function lg.affine(x, mul, add) end
Tensor.affine = lg.affine

---The greatest number over the axes dims, or all if none are named. The axes go, or stay
---with size 1 if keepdim is true. Equal ones share the gradient.
---@param x lugano.Tensor|number
---@param dims? integer|integer[]
---@param keepdim? boolean
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { dims?: integer|integer[], keepdim?: boolean }): lugano.Tensor
function lg.amax(x, dims, keepdim) end
Tensor.amax = lg.amax

---The least number over the axes dims, or all if none are named. The axes go, or stay
---with size 1 if keepdim is true. Equal ones share the gradient.
---@param x lugano.Tensor|number
---@param dims? integer|integer[]
---@param keepdim? boolean
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { dims?: integer|integer[], keepdim?: boolean }): lugano.Tensor
function lg.amin(x, dims, keepdim) end
Tensor.amin = lg.amin

---The place of the greatest number along the axis dim, or of all of x in row-major order
---if dim is not given; from 1. The first of equal numbers; the first NaN, if there is
---one. The axes searched go, or stay with size 1 if keepdim is true.
---@param x lugano.Tensor|number
---@param dim? integer|integer[]
---@param keepdim? boolean
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { dim?: integer|integer[], keepdim?: boolean }): lugano.Tensor
function lg.argmax(x, dim, keepdim) end
Tensor.argmax = lg.argmax

---The place of the least number along the axis dim, or of all of x in row-major order if
---dim is not given; from 1. The first of equal numbers; the first NaN, if there is one.
---The axes searched go, or stay with size 1 if keepdim is true.
---@param x lugano.Tensor|number
---@param dim? integer|integer[]
---@param keepdim? boolean
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { dim?: integer|integer[], keepdim?: boolean }): lugano.Tensor
function lg.argmin(x, dim, keepdim) end
Tensor.argmin = lg.argmin

---The mean of each window of images x {n,c,h,w}: {n,c,oh,ow}, where oh = floor((h +
---2*padding - kernel) / stride) + 1. A stride of 0 means that of the kernel. The zeros of
---the padding count.
---@param x lugano.Tensor|number
---@param kernel integer|integer[]
---@param stride? integer|integer[]
---@param padding? integer|integer[]
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { kernel: integer|integer[], stride?: integer|integer[], padding?: integer|integer[] }): lugano.Tensor
function lg.avg_pool2d(x, kernel, stride, padding) end
Tensor.avg_pool2d = lg.avg_pool2d

---The transpose of avg_pool2d, its gradient: g {n,c,oh,ow} shared out over the windows of
---images {n,c,h,w}, where size is {h,w}.
---@param g lugano.Tensor|number
---@param size integer|integer[]
---@param kernel integer|integer[]
---@param stride? integer|integer[]
---@param padding? integer|integer[]
---@return lugano.Tensor y
---@overload fun(g: lugano.Tensor|number, options: { size: integer|integer[], kernel: integer|integer[], stride?: integer|integer[], padding?: integer|integer[] }): lugano.Tensor
function lg.avg_pool2d_back(g, size, kernel, stride, padding) end
Tensor.avg_pool2d_back = lg.avg_pool2d_back

---x {n,c,...} normalized over all axes but axis 2, the channels: (x - mean) / sqrt(var +
---eps) * w + b, with w and b {c} (Ioffe and Szegedy 2015). var is the biased variance.
---Where a channel has one number, the result is b.
---@param x lugano.Tensor|number
---@param w? lugano.Tensor|number
---@param b? lugano.Tensor|number
---@param eps? number
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, w?: lugano.Tensor|number, b?: lugano.Tensor|number, options: { eps?: number }): lugano.Tensor
function lg.batch_norm(x, w, b, eps) end
Tensor.batch_norm = lg.batch_norm

---The gradients of batch_norm for x, w and b, from the gradient g of its result y and
---from its mean and var.
---@param g lugano.Tensor|number
---@param x lugano.Tensor|number
---@param mean lugano.Tensor|number
---@param var lugano.Tensor|number
---@param w? lugano.Tensor|number
---@param eps? number
---@return lugano.Tensor dx
---@return lugano.Tensor dw
---@return lugano.Tensor db
---@overload fun(g: lugano.Tensor|number, x: lugano.Tensor|number, mean: lugano.Tensor|number, var: lugano.Tensor|number, w?: lugano.Tensor|number, options: { eps?: number }): lugano.Tensor, lugano.Tensor, lugano.Tensor
function lg.batch_norm_back(g, x, mean, var, w, eps) end
Tensor.batch_norm_back = lg.batch_norm_back

---batch_norm with the statistics given, mean and var {c}, as when a trained net is used.
---The result has the shape of x.
---@param x lugano.Tensor|number
---@param mean lugano.Tensor|number
---@param var lugano.Tensor|number
---@param w? lugano.Tensor|number
---@param b? lugano.Tensor|number
---@param eps? number
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, mean: lugano.Tensor|number, var: lugano.Tensor|number, w?: lugano.Tensor|number, b?: lugano.Tensor|number, options: { eps?: number }): lugano.Tensor
function lg.batch_norm_eval(x, mean, var, w, b, eps) end
Tensor.batch_norm_eval = lg.batch_norm_eval

---The binary cross-entropy of the probability x with the target y in 0 .. 1: -y log(x) -
---(1 - y) log(1 - x), with logarithms of at least -100; of logits bce_with_logits is more
---exact. weight, which broadcasts to x, multiplies the losses; the mean is still over all
---elements. y has the shape of x, or broadcasts to it. The result is their mean or sum,
---without axes, or with reduction none has the shape of x.
---@param x lugano.Tensor|number
---@param y lugano.Tensor|number
---@param weight? lugano.Tensor|number
---@param reduction? "mean"|"sum"|"none"
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, y: lugano.Tensor|number, weight?: lugano.Tensor|number, options: { reduction?: "mean"|"sum"|"none" }): lugano.Tensor
function lg.bce(x, y, weight, reduction) end
Tensor.bce = lg.bce

---The gradient of bce for x: g (x - y) / (x (1 - x)), with x (1 - x) of at least 1e-12,
---divided by their number for the mean.
---@param g lugano.Tensor|number
---@param x lugano.Tensor|number
---@param y lugano.Tensor|number
---@param reduction? "mean"|"sum"|"none"
---@return lugano.Tensor y
---@overload fun(g: lugano.Tensor|number, x: lugano.Tensor|number, y: lugano.Tensor|number, options: { reduction?: "mean"|"sum"|"none" }): lugano.Tensor
function lg.bce_back(g, x, y, reduction) end
Tensor.bce_back = lg.bce_back

---The binary cross-entropy of the probability sigmoid(x) with the target y in 0 .. 1:
---log(1 + exp(x)) - x y, without overflow. pos_weight, which broadcasts to x, multiplies
---what y = 1 adds. weight, which broadcasts to x, multiplies the losses; the mean is
---still over all elements. y has the shape of x, or broadcasts to it. The result is their
---mean or sum, without axes, or with reduction none has the shape of x.
---@param x lugano.Tensor|number
---@param y lugano.Tensor|number
---@param weight? lugano.Tensor|number
---@param pos_weight? lugano.Tensor|number
---@param reduction? "mean"|"sum"|"none"
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, y: lugano.Tensor|number, weight?: lugano.Tensor|number, pos_weight?: lugano.Tensor|number, options: { reduction?: "mean"|"sum"|"none" }): lugano.Tensor
function lg.bce_with_logits(x, y, weight, pos_weight, reduction) end
Tensor.bce_with_logits = lg.bce_with_logits

---The gradient of bce_with_logits for x: g (sigmoid(x) - y), divided by their number for
---the mean.
---@param g lugano.Tensor|number
---@param x lugano.Tensor|number
---@param y lugano.Tensor|number
---@param reduction? "mean"|"sum"|"none"
---@return lugano.Tensor y
---@overload fun(g: lugano.Tensor|number, x: lugano.Tensor|number, y: lugano.Tensor|number, options: { reduction?: "mean"|"sum"|"none" }): lugano.Tensor
function lg.bce_with_logits_back(g, x, y, reduction) end
Tensor.bce_with_logits_back = lg.bce_with_logits_back

---Each channel of images x {n,c,h,w} filtered along both axes with kernel, up to four
---numbers that are divided by their sum: {n,c,floor(h/stride),floor(w/stride)}. {1,2,1}
---is StyleGAN's filter, {1,3,3,1} StyleGAN2's; the padding is k - stride in all, the
---larger half of it first, so that {1,3,3,1} stays in place with a stride of 2 and
---{1,2,1} with 1.
---@param x lugano.Tensor|number
---@param kernel? number[]
---@param stride? integer
---@param padding? "zeros"|"reflect"
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { kernel?: number[], stride?: integer, padding?: "zeros"|"reflect" }): lugano.Tensor
function lg.blur(x, kernel, stride, padding) end
Tensor.blur = lg.blur

---The transpose of blur, its gradient: from g {n,c,oh,ow} images {n,c,h,w}, where size is
---{h,w}.
---@param g lugano.Tensor|number
---@param size integer|integer[]
---@param kernel? number[]
---@param stride? integer
---@param padding? "zeros"|"reflect"
---@return lugano.Tensor y
---@overload fun(g: lugano.Tensor|number, options: { size: integer|integer[], kernel?: number[], stride?: integer, padding?: "zeros"|"reflect" }): lugano.Tensor
function lg.blur_back(g, size, kernel, stride, padding) end
Tensor.blur_back = lg.blur_back

---The tensors of a list one after the other along the axis dim; their other sizes must be
---the same.
---@param x lugano.Tensor[]
---@param dim? integer
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor[], options: { dim?: integer }): lugano.Tensor
function lg.cat(x, dim) end

---The least whole number that is not below x. The result has the shape of x.
---@param x lugano.Tensor|number
---@return lugano.Tensor y
function lg.ceil(x) end
Tensor.ceil = lg.ceil

---The lower triangular l {...,n,n} with l l^T = x, for x {...,n,n} symmetric and positive
---definite; if it is not, that is an error. Of x its symmetric part is taken, (x + x^T) /
---2.
---@param x lugano.Tensor|number
---@return lugano.Tensor l
function lg.cholesky(x) end
Tensor.cholesky = lg.cholesky

---x, but no less than min and no more than max; a NaN stays. The gradient is 0 where x is
---out of bounds. The result has the shape of x.
---@param x lugano.Tensor|number
---@param min? number
---@param max? number
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { min?: number, max?: number }): lugano.Tensor
function lg.clamp(x, min, max) end
Tensor.clamp = lg.clamp

---The gradient of clamp: g where x is within the bounds, else 0. g and the result have
---the shape of x.
---@param g lugano.Tensor|number
---@param x lugano.Tensor|number
---@param min? number
---@param max? number
---@return lugano.Tensor y
---@overload fun(g: lugano.Tensor|number, x: lugano.Tensor|number, options: { min?: number, max?: number }): lugano.Tensor
function lg.clamp_back(g, x, min, max) end
Tensor.clamp_back = lg.clamp_back

---Convolution (cross-correlation) of x {n,c,l} with w {out,c/groups,k}: {n,out,ol}, where
---ol = floor((l + 2*padding - dilation*(k-1) - 1) / stride) + 1. b {out} is added. With
---groups, each group of output channels sees its own group of input channels.
---@param x lugano.Tensor|number
---@param w lugano.Tensor|number
---@param b? lugano.Tensor|number
---@param stride? integer
---@param padding? integer
---@param dilation? integer
---@param groups? integer
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, w: lugano.Tensor|number, b?: lugano.Tensor|number, options: { stride?: integer, padding?: integer, dilation?: integer, groups?: integer }): lugano.Tensor
function lg.conv1d(x, w, b, stride, padding, dilation, groups) end
Tensor.conv1d = lg.conv1d

---Convolution (cross-correlation) of images x {n,c,h,w} with w {out,c/groups,kh,kw}:
---{n,out,oh,ow}, where oh = floor((h + 2*padding - dilation*(kh-1) - 1) / stride) + 1. b
---{out} is added. With groups, each group of output channels sees its own group of input
---channels.
---@param x lugano.Tensor|number
---@param w lugano.Tensor|number
---@param b? lugano.Tensor|number
---@param stride? integer|integer[]
---@param padding? integer|integer[]
---@param dilation? integer|integer[]
---@param groups? integer
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, w: lugano.Tensor|number, b?: lugano.Tensor|number, options: { stride?: integer|integer[], padding?: integer|integer[], dilation?: integer|integer[], groups?: integer }): lugano.Tensor
function lg.conv2d(x, w, b, stride, padding, dilation, groups) end
Tensor.conv2d = lg.conv2d

---The gradient of conv2d for its weight: images x {n,c,h,w} and the gradient g
---{n,out,oh,ow} for the result give {out,c/groups,kh,kw}, where kernel is {kh,kw}.
---@param x lugano.Tensor|number
---@param g lugano.Tensor|number
---@param kernel integer|integer[]
---@param stride? integer|integer[]
---@param padding? integer|integer[]
---@param dilation? integer|integer[]
---@param groups? integer
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, g: lugano.Tensor|number, options: { kernel: integer|integer[], stride?: integer|integer[], padding?: integer|integer[], dilation?: integer|integer[], groups?: integer }): lugano.Tensor
function lg.conv2d_weight(x, g, kernel, stride, padding, dilation, groups) end
Tensor.conv2d_weight = lg.conv2d_weight

---The transpose of conv1d: x {n,in,l} and w {in,out/groups,k} give {n,out,ol}, where ol =
---(l-1)*stride - 2*padding + dilation*(k-1) + 1 + output_padding. b {out} is added.
---output_padding tells apart the sizes that conv1d with a stride would map to l.
---@param x lugano.Tensor|number
---@param w lugano.Tensor|number
---@param b? lugano.Tensor|number
---@param stride? integer
---@param padding? integer
---@param output_padding? integer
---@param groups? integer
---@param dilation? integer
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, w: lugano.Tensor|number, b?: lugano.Tensor|number, options: { stride?: integer, padding?: integer, output_padding?: integer, groups?: integer, dilation?: integer }): lugano.Tensor
function lg.conv_transpose1d(x, w, b, stride, padding, output_padding, groups, dilation) end
Tensor.conv_transpose1d = lg.conv_transpose1d

---The transpose of conv2d: x {n,in,h,w} and w {in,out/groups,kh,kw} give {n,out,oh,ow},
---where oh = (h-1)*stride - 2*padding + dilation*(kh-1) + 1 + output_padding. b {out} is
---added. output_padding tells apart the sizes that conv2d with a stride would map to h.
---@param x lugano.Tensor|number
---@param w lugano.Tensor|number
---@param b? lugano.Tensor|number
---@param stride? integer|integer[]
---@param padding? integer|integer[]
---@param output_padding? integer|integer[]
---@param groups? integer
---@param dilation? integer|integer[]
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, w: lugano.Tensor|number, b?: lugano.Tensor|number, options: { stride?: integer|integer[], padding?: integer|integer[], output_padding?: integer|integer[], groups?: integer, dilation?: integer|integer[] }): lugano.Tensor
function lg.conv_transpose2d(x, w, b, stride, padding, output_padding, groups, dilation) end
Tensor.conv_transpose2d = lg.conv_transpose2d

---The cosine of x, in radians. The result has the shape of x.
---@param x lugano.Tensor|number
---@return lugano.Tensor y
function lg.cos(x) end
Tensor.cos = lg.cos

---The sum of products of a / max(|a|, eps) and b / max(|b|, eps) along the axis dim,
---which goes; |a| is the 2-norm along it. a and b broadcast first.
---@param a lugano.Tensor|number
---@param b lugano.Tensor|number
---@param dim? integer
---@param eps? number
---@return lugano.Tensor y
---@overload fun(a: lugano.Tensor|number, b: lugano.Tensor|number, options: { dim?: integer, eps?: number }): lugano.Tensor
function lg.cosine_similarity(a, b, dim, eps) end
Tensor.cosine_similarity = lg.cosine_similarity

----log(softmax(x)) of the right class, where x {n,c,...} or {c} has a score for each of c
---classes. target has a label from 1 to c for each item, the shape of x without axis 2;
---or probabilities, and the shape of x. The mean of labels is weighted, too. weight {c}
---multiplies the losses of each class. The result is the mean or the sum of all, without
---axes, or with reduction none the loss of each item.
---@param x lugano.Tensor|number
---@param target lugano.Tensor|number
---@param weight? lugano.Tensor|number
---@param reduction? "mean"|"sum"|"none"
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, target: lugano.Tensor|number, weight?: lugano.Tensor|number, options: { reduction?: "mean"|"sum"|"none" }): lugano.Tensor
function lg.cross_entropy(x, target, weight, reduction) end
Tensor.cross_entropy = lg.cross_entropy

---At each index of the axis dim the sum of x up to there, or from there on if reverse is
---true. The result has the shape of x.
---@param x lugano.Tensor|number
---@param dim integer
---@param reverse? boolean
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { dim: integer, reverse?: boolean }): lugano.Tensor
function lg.cumsum(x, dim, reverse) end
Tensor.cumsum = lg.cumsum

---The quotient a / b. Shapes broadcast: aligned at the last axis, sizes are equal or 1.
---@param a lugano.Tensor|number
---@param b lugano.Tensor|number
---@return lugano.Tensor y
function lg.div(a, b) end
Tensor.div = lg.div

---The quotient a / b, and 0 where b is 0. Shapes broadcast: aligned at the last axis,
---sizes are equal or 1.
---@param a lugano.Tensor|number
---@param b lugano.Tensor|number
---@return lugano.Tensor y
function lg.div_no_nan(a, b) end
Tensor.div_no_nan = lg.div_no_nan

---Each number of x is 0 with probability p, and else divided by 1 - p (Srivastava et al.
---2014). Draws from the script's random numbers. The result has the shape of x.
---@param x lugano.Tensor|number
---@param p? number
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { p?: number }): lugano.Tensor
function lg.dropout(x, p) end
Tensor.dropout = lg.dropout

---The gradient of dropout: g / (1 - p) where the number has stayed, else 0. mask {ceil(n
---/ 16)} has a bit for each of the n numbers of g, 16 of them in a whole number, the
---lowest first. The result has the shape of g.
---@param g lugano.Tensor|number
---@param mask lugano.Tensor|number
---@param p? number
---@return lugano.Tensor y
---@overload fun(g: lugano.Tensor|number, mask: lugano.Tensor|number, options: { p?: number }): lugano.Tensor
function lg.dropout_back(g, mask, p) end
Tensor.dropout_back = lg.dropout_back

---The eigenvalues {...,n}, ascending, and the eigenvectors {...,n,n}, as columns, of
---symmetric matrices x {...,n,n}: x = v diag(w) v^T. Of x its symmetric part is taken, (x
---+ x^T) / 2. The component of a vector that is greatest in size is positive. Where two
---values are equal, the gradient of their vectors lacks its term for the two.
---@param x lugano.Tensor|number
---@return lugano.Tensor values
---@return lugano.Tensor vectors
function lg.eigh(x) end
Tensor.eigh = lg.eigh

---The sum of products that the equation says: letters name the axes of each tensor of the
---list, then those of the result, as in lg.einsum({a, b}, "bij,bjk->bik"). Letters that
---the result lacks are summed over; one that is twice in a tensor is its diagonal; '...'
---stands for the axes left over; axes of size 1 broadcast. Without '->' the result has
---the letters that occur once, in alphabetical order. Tensors are contracted from left to
---right.
---@param x lugano.Tensor[]
---@param equation string
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor[], options: { equation: string }): lugano.Tensor
function lg.einsum(x, equation) end

---x where x is above 0, else alpha * (exp(x) - 1); alpha is 0 or more (Clevert et al.
---2015). The result has the shape of x.
---@param x lugano.Tensor|number
---@param alpha? number
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { alpha?: number }): lugano.Tensor
function lg.elu(x, alpha) end
Tensor.elu = lg.elu

---The gradient of elu by its result y: g where y is above 0, or g (y + alpha).
---@param g lugano.Tensor|number
---@param y lugano.Tensor|number
---@param alpha? number
---@return lugano.Tensor y
---@overload fun(g: lugano.Tensor|number, y: lugano.Tensor|number, options: { alpha?: number }): lugano.Tensor
function lg.elu_back(g, y, alpha) end
Tensor.elu_back = lg.elu_back

---The rows of w {rows,width} that index, of any shape, names by whole numbers from 1: a
---result of the shape of index with width as one more axis.
---@param w lugano.Tensor|number
---@param index lugano.Tensor|number
---@return lugano.Tensor y
function lg.embedding(w, index) end
Tensor.embedding = lg.embedding

---1 where a = b, else 0. Shapes broadcast: aligned at the last axis, sizes are equal or
---1.
---@param a lugano.Tensor|number
---@param b lugano.Tensor|number
---@return lugano.Tensor y
function lg.eq(a, b) end
Tensor.eq = lg.eq

---The error function of x, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x. The
---result has the shape of x.
---@param x lugano.Tensor|number
---@return lugano.Tensor y
function lg.erf(x) end
Tensor.erf = lg.erf

---e to the power of x. The result has the shape of x.
---@param x lugano.Tensor|number
---@return lugano.Tensor y
function lg.exp(x) end
Tensor.exp = lg.exp

---x repeated along axes of size 1, and along new ones in front, so that its sizes become
---dims; -1 keeps a size.
---@param x lugano.Tensor|number
---@param dims integer|integer[]
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { dims: integer|integer[] }): lugano.Tensor
function lg.expand(x, dims) end
Tensor.expand = lg.expand

---exp(x) - 1, exact for small x. The result has the shape of x.
---@param x lugano.Tensor|number
---@return lugano.Tensor y
function lg.expm1(x) end
Tensor.expm1 = lg.expm1

---x with the axes start .. end merged into one. The defaults keep axis 1, the batch, as
---PyTorch's layer Flatten does: {n,c,h,w} becomes {n,c*h*w}. A tensor without axes
---becomes {1}. Shares the numbers of x.
---@param x lugano.Tensor|number
---@param start? integer
---@param last? integer
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { start?: integer, end?: integer }): lugano.Tensor
function lg.flatten(x, start, last) end
Tensor.flatten = lg.flatten

---x from the last index to the first along each of the axes dims. The result has the
---shape of x.
---@param x lugano.Tensor|number
---@param dims integer|integer[]
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { dims: integer|integer[] }): lugano.Tensor
function lg.flip(x, dims) end
Tensor.flip = lg.flip

---The greatest whole number that is not above x. The result has the shape of x.
---@param x lugano.Tensor|number
---@return lugano.Tensor y
function lg.floor(x) end
Tensor.floor = lg.floor

---The transpose of unfold: the columns x {n,c*kh*kw,oh*ow} added up at their places in
---images {n,c,h,w}, where size is {h,w}. Windows that overlap are summed.
---@param x lugano.Tensor|number
---@param size integer|integer[]
---@param kernel integer|integer[]
---@param stride? integer|integer[]
---@param padding? integer|integer[]
---@param dilation? integer|integer[]
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { size: integer|integer[], kernel: integer|integer[], stride?: integer|integer[], padding?: integer|integer[], dilation?: integer|integer[] }): lugano.Tensor
function lg.fold(x, size, kernel, stride, padding, dilation) end
Tensor.fold = lg.fold

---Picks along the axis dim: for two axes and dim 2, y[i][j] = x[i][index[i][j]]. index
---has as many axes as x, whole numbers from 1, and but for dim no size above that of x;
---the result has the shape of index.
---@param x lugano.Tensor|number
---@param index lugano.Tensor|number
---@param dim integer
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, index: lugano.Tensor|number, options: { dim: integer }): lugano.Tensor
function lg.gather(x, index, dim) end
Tensor.gather = lg.gather

---The transpose of gather: zeros of the sizes dims, to which g is added where gather with
---this index would pick, in order of index along dim.
---@param g lugano.Tensor|number
---@param index lugano.Tensor|number
---@param dim integer
---@param dims integer|integer[]
---@return lugano.Tensor y
---@overload fun(g: lugano.Tensor|number, index: lugano.Tensor|number, options: { dim: integer, dims: integer|integer[] }): lugano.Tensor
function lg.gather_back(g, index, dim, dims) end
Tensor.gather_back = lg.gather_back

---1 where a >= b, else 0. Shapes broadcast: aligned at the last axis, sizes are equal or
---1.
---@param a lugano.Tensor|number
---@param b lugano.Tensor|number
---@return lugano.Tensor y
function lg.ge(a, b) end
Tensor.ge = lg.ge

---x P(x), where P is the normal distribution (Hendrycks and Gimpel 2016); approximated by
---tanh it is x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2. The result has the shape
---of x.
---@param x lugano.Tensor|number
---@param approximate? "none"|"tanh"
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { approximate?: "none"|"tanh" }): lugano.Tensor
function lg.gelu(x, approximate) end
Tensor.gelu = lg.gelu

---The gradient of gelu: g (P(x) + x P'(x)).
---@param g lugano.Tensor|number
---@param x lugano.Tensor|number
---@param approximate? "none"|"tanh"
---@return lugano.Tensor y
---@overload fun(g: lugano.Tensor|number, x: lugano.Tensor|number, options: { approximate?: "none"|"tanh" }): lugano.Tensor
function lg.gelu_back(g, x, approximate) end
Tensor.gelu_back = lg.gelu_back

---Images x {n,c,h,w} read at the places of grid {n,oh,ow,2}: {n,c,oh,ow} (Jaderberg et
---al. 2015). A place is x,y: -1,-1 is the corner at the top left and 1,1 that at the
---bottom right, or with align_corners the middles of the pixels there. mode is bilinear
---interpolation, or the nearest pixel, which of two is the even one. Outside are zeros,
---or the pixels at the border, or those that a reflection at it hits.
---@param x lugano.Tensor|number
---@param grid lugano.Tensor|number
---@param mode? "bilinear"|"nearest"
---@param padding? "zeros"|"border"|"reflection"
---@param align_corners? boolean
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, grid: lugano.Tensor|number, options: { mode?: "bilinear"|"nearest", padding?: "zeros"|"border"|"reflection", align_corners?: boolean }): lugano.Tensor
function lg.grid_sample(x, grid, mode, padding, align_corners) end
Tensor.grid_sample = lg.grid_sample

---The transpose of grid_sample, its gradient for x: g {n,c,oh,ow} added to images
---{n,c,h,w} at the places of grid {n,oh,ow,2}, where size is {h,w}.
---@param g lugano.Tensor|number
---@param grid lugano.Tensor|number
---@param size integer|integer[]
---@param mode? "bilinear"|"nearest"
---@param padding? "zeros"|"border"|"reflection"
---@param align_corners? boolean
---@return lugano.Tensor y
---@overload fun(g: lugano.Tensor|number, grid: lugano.Tensor|number, options: { size: integer|integer[], mode?: "bilinear"|"nearest", padding?: "zeros"|"border"|"reflection", align_corners?: boolean }): lugano.Tensor
function lg.grid_sample_back(g, grid, size, mode, padding, align_corners) end
Tensor.grid_sample_back = lg.grid_sample_back

---Each of the groups of neighboring channels of each sample of x {n,c,...} normalized: (x
---- mean) / sqrt(var + eps) * w + b, where var is the biased variance. The result has the
---shape of x; of one number it is b. groups divides c; w and b are {c} (Wu and He 2018).
---@param x lugano.Tensor|number
---@param w? lugano.Tensor|number
---@param b? lugano.Tensor|number
---@param groups integer
---@param eps? number
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, w?: lugano.Tensor|number, b?: lugano.Tensor|number, options: { groups: integer, eps?: number }): lugano.Tensor
function lg.group_norm(x, w, b, groups, eps) end
Tensor.group_norm = lg.group_norm

---The gradients of group_norm and its like for w and b {c}, from the gradient g of its
---result y, from x {n,c,...} and from its mean and var {n*groups}.
---@param g lugano.Tensor|number
---@param x lugano.Tensor|number
---@param mean lugano.Tensor|number
---@param var lugano.Tensor|number
---@param groups integer
---@param eps? number
---@return lugano.Tensor dw
---@return lugano.Tensor db
---@overload fun(g: lugano.Tensor|number, x: lugano.Tensor|number, mean: lugano.Tensor|number, var: lugano.Tensor|number, options: { groups: integer, eps?: number }): lugano.Tensor, lugano.Tensor
function lg.group_weight_back(g, x, mean, var, groups, eps) end
Tensor.group_weight_back = lg.group_weight_back

---A step of a gated recurrent unit (Cho et al. 2014), after its products: gates_x and
---gates_h {n,3*hidden} have the sums of r, z, n side by side, by the input and by the
---state h {n,hidden}. r and z are the sigmoids of both sums together, n is tanh(its
---gates_x + r * its gates_h), as in PyTorch; the result is (1 - z) n + z h, {n,hidden}.
---@param gates_x lugano.Tensor|number
---@param gates_h lugano.Tensor|number
---@param h lugano.Tensor|number
---@return lugano.Tensor y
function lg.gru_cell(gates_x, gates_h, h) end
Tensor.gru_cell = lg.gru_cell

---1 where a > b, else 0. Shapes broadcast: aligned at the last axis, sizes are equal or
---1.
---@param a lugano.Tensor|number
---@param b lugano.Tensor|number
---@return lugano.Tensor y
function lg.gt(a, b) end
Tensor.gt = lg.gt

---x, but no less than min and no more than max; a NaN stays. At the bounds its gradient
---is 0. The result has the shape of x.
---@param x lugano.Tensor|number
---@param min? number
---@param max? number
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { min?: number, max?: number }): lugano.Tensor
function lg.hardtanh(x, min, max) end
Tensor.hardtanh = lg.hardtanh

---The gradient of hardtanh: g where its result y is strictly within the bounds, else 0.
---@param g lugano.Tensor|number
---@param y lugano.Tensor|number
---@param min? number
---@param max? number
---@return lugano.Tensor y
---@overload fun(g: lugano.Tensor|number, y: lugano.Tensor|number, options: { min?: number, max?: number }): lugano.Tensor
function lg.hardtanh_back(g, y, min, max) end
Tensor.hardtanh_back = lg.hardtanh_back

---What x y lacks to 1, or 0: the greater of 1 - x y and 0, of scores x with the labels y,
---1 or -1. Where it is 0 its gradient is 0. y has the shape of x, or broadcasts to it.
---The result is their mean or sum, without axes, or with reduction none has the shape of
---x.
---@param x lugano.Tensor|number
---@param y lugano.Tensor|number
---@param reduction? "mean"|"sum"|"none"
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, y: lugano.Tensor|number, options: { reduction?: "mean"|"sum"|"none" }): lugano.Tensor
function lg.hinge(x, y, reduction) end
Tensor.hinge = lg.hinge

---The gradient of hinge for x: -g y where x y is below 1, else 0, divided by their number
---for a mean.
---@param g lugano.Tensor|number
---@param x lugano.Tensor|number
---@param y lugano.Tensor|number
---@param reduction? "mean"|"sum"|"none"
---@return lugano.Tensor y
---@overload fun(g: lugano.Tensor|number, x: lugano.Tensor|number, y: lugano.Tensor|number, options: { reduction?: "mean"|"sum"|"none" }): lugano.Tensor
function lg.hinge_back(g, x, y, reduction) end
Tensor.hinge_back = lg.hinge_back

---Half the squared error, (x - y)^2 / 2, where |x - y| is up to delta, and beyond it
---straight on: delta (|x - y| - delta / 2) (Huber 1964). y has the shape of x, or
---broadcasts to it. The result is their mean or sum, without axes, or with reduction none
---has the shape of x.
---@param x lugano.Tensor|number
---@param y lugano.Tensor|number
---@param reduction? "mean"|"sum"|"none"
---@param delta? number
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, y: lugano.Tensor|number, options: { reduction?: "mean"|"sum"|"none", delta?: number }): lugano.Tensor
function lg.huber(x, y, reduction, delta) end
Tensor.huber = lg.huber

---The gradient of huber for x: g (x - y), with x - y held within -delta .. delta, divided
---by their number for a mean.
---@param g lugano.Tensor|number
---@param x lugano.Tensor|number
---@param y lugano.Tensor|number
---@param reduction? "mean"|"sum"|"none"
---@param delta? number
---@return lugano.Tensor y
---@overload fun(g: lugano.Tensor|number, x: lugano.Tensor|number, y: lugano.Tensor|number, options: { reduction?: "mean"|"sum"|"none", delta?: number }): lugano.Tensor
function lg.huber_back(g, x, y, reduction, delta) end
Tensor.huber_back = lg.huber_back

---The parts of x along the axis dim that index {n}, whole numbers from 1, names, in its
---order; one may be named more than once.
---@param x lugano.Tensor|number
---@param index lugano.Tensor|number
---@param dim? integer
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, index: lugano.Tensor|number, options: { dim?: integer }): lugano.Tensor
function lg.index_select(x, index, dim) end
Tensor.index_select = lg.index_select

---The transpose of index_select: zeros with size places along the axis dim, to which the
---parts of g are added where index {n} says, in its order.
---@param g lugano.Tensor|number
---@param index lugano.Tensor|number
---@param dim integer
---@param size integer
---@return lugano.Tensor y
---@overload fun(g: lugano.Tensor|number, index: lugano.Tensor|number, options: { dim: integer, size: integer }): lugano.Tensor
function lg.index_select_back(g, index, dim, size) end
Tensor.index_select_back = lg.index_select_back

---Each channel of each sample of x {n,c,...} normalized: (x - mean) / sqrt(var + eps) * w
---+ b, where var is the biased variance. The result has the shape of x; of one number it
---is b. w and b are {c} (Ulyanov et al. 2016).
---@param x lugano.Tensor|number
---@param w? lugano.Tensor|number
---@param b? lugano.Tensor|number
---@param eps? number
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, w?: lugano.Tensor|number, b?: lugano.Tensor|number, options: { eps?: number }): lugano.Tensor
function lg.instance_norm(x, w, b, eps) end
Tensor.instance_norm = lg.instance_norm

---The inverse of each matrix of x {...,n,n}; a singular one is an error. For x^-1 b,
---solve is faster and more exact.
---@param x lugano.Tensor|number
---@return lugano.Tensor y
function lg.inverse(x) end
Tensor.inverse = lg.inverse

---The divergence of Kullback and Leibler from log-probabilities x to the probabilities
---target, which have the shape of x or broadcast to it: target (log(target) - x), and 0
---where target is 0. The result is their mean, their sum, the sum divided by the size of
---axis 1 (batchmean, the divergence itself), or with reduction none has the shape of x.
---@param x lugano.Tensor|number
---@param target lugano.Tensor|number
---@param reduction? "mean"|"sum"|"none"|"batchmean"
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, target: lugano.Tensor|number, options: { reduction?: "mean"|"sum"|"none"|"batchmean" }): lugano.Tensor
function lg.kl_div(x, target, reduction) end
Tensor.kl_div = lg.kl_div

---The absolute error |x - y|. Where it is 0 its gradient is 0. y has the shape of x, or
---broadcasts to it. The result is their mean or sum, without axes, or with reduction none
---has the shape of x.
---@param x lugano.Tensor|number
---@param y lugano.Tensor|number
---@param reduction? "mean"|"sum"|"none"
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, y: lugano.Tensor|number, options: { reduction?: "mean"|"sum"|"none" }): lugano.Tensor
function lg.l1(x, y, reduction) end
Tensor.l1 = lg.l1

---The gradient of l1 for x: g sign(x - y), divided by their number for a mean.
---@param g lugano.Tensor|number
---@param x lugano.Tensor|number
---@param y lugano.Tensor|number
---@param reduction? "mean"|"sum"|"none"
---@return lugano.Tensor y
---@overload fun(g: lugano.Tensor|number, x: lugano.Tensor|number, y: lugano.Tensor|number, options: { reduction?: "mean"|"sum"|"none" }): lugano.Tensor
function lg.l1_back(g, x, y, reduction) end
Tensor.l1_back = lg.l1_back

---The numbers of the last axes of x, together, normalized: (x - mean) / sqrt(var + eps) *
---w + b, where var is the biased variance. The result has the shape of x; of one number
---it is b. axes is how many they are: if 0, as many as w has (or b), or one without them.
---w and b have the shape of these axes (Ba et al. 2016).
---@param x lugano.Tensor|number
---@param w? lugano.Tensor|number
---@param b? lugano.Tensor|number
---@param axes? integer
---@param eps? number
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, w?: lugano.Tensor|number, b?: lugano.Tensor|number, options: { axes?: integer, eps?: number }): lugano.Tensor
function lg.layer_norm(x, w, b, axes, eps) end
Tensor.layer_norm = lg.layer_norm

---1 where a <= b, else 0. Shapes broadcast: aligned at the last axis, sizes are equal or
---1.
---@param a lugano.Tensor|number
---@param b lugano.Tensor|number
---@return lugano.Tensor y
function lg.le(a, b) end
Tensor.le = lg.le

---x where x is above 0, else x * slope; slope is 0 or more (Maas et al. 2013). At 0 its
---gradient is slope. The result has the shape of x.
---@param x lugano.Tensor|number
---@param slope? number
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { slope?: number }): lugano.Tensor
function lg.leaky_relu(x, slope) end
Tensor.leaky_relu = lg.leaky_relu

---The gradient of leaky_relu: g where x was above 0, else g * slope. mask {ceil(n / 16)}
---has a bit for each of the n numbers of g, 16 of them in a whole number, the lowest
---first. The result has the shape of g.
---@param g lugano.Tensor|number
---@param mask lugano.Tensor|number
---@param slope? number
---@return lugano.Tensor y
---@overload fun(g: lugano.Tensor|number, mask: lugano.Tensor|number, options: { slope?: number }): lugano.Tensor
function lg.leaky_relu_back(g, mask, slope) end
Tensor.leaky_relu_back = lg.leaky_relu_back

---x w^T + b: x {...,in}, w {out,in} and b {out} give {...,out}.
---@param x lugano.Tensor|number
---@param w lugano.Tensor|number
---@param b? lugano.Tensor|number
---@return lugano.Tensor y
function lg.linear(x, w, b) end
Tensor.linear = lg.linear

---The natural logarithm of x. The result has the shape of x.
---@param x lugano.Tensor|number
---@return lugano.Tensor y
function lg.log(x) end
Tensor.log = lg.log

---log(1 + x), exact for small x. The result has the shape of x.
---@param x lugano.Tensor|number
---@return lugano.Tensor y
function lg.log1p(x) end
Tensor.log1p = lg.log1p

---log(sigmoid(x)), without overflow and exact where sigmoid(x) would be 0 or 1. The
---result has the shape of x.
---@param x lugano.Tensor|number
---@return lugano.Tensor y
function lg.log_sigmoid(x) end
Tensor.log_sigmoid = lg.log_sigmoid

---The logarithm of softmax along the axis dim, exact where softmax would be 0. The result
---has the shape of x.
---@param x lugano.Tensor|number
---@param dim integer
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { dim: integer }): lugano.Tensor
function lg.log_softmax(x, dim) end
Tensor.log_softmax = lg.log_softmax

---The gradient of log_softmax by its result y: g - exp(y) sum(g), the sum along the axis
---dim.
---@param g lugano.Tensor|number
---@param y lugano.Tensor|number
---@param dim integer
---@return lugano.Tensor y
---@overload fun(g: lugano.Tensor|number, y: lugano.Tensor|number, options: { dim: integer }): lugano.Tensor
function lg.log_softmax_back(g, y, dim) end
Tensor.log_softmax_back = lg.log_softmax_back

---log(sum(exp(x))) along the axis dim, without overflow. The axis goes, or stays with
---size 1 if keepdim is true.
---@param x lugano.Tensor|number
---@param dim integer
---@param keepdim? boolean
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { dim: integer, keepdim?: boolean }): lugano.Tensor
function lg.logsumexp(x, dim, keepdim) end
Tensor.logsumexp = lg.logsumexp

---A step of long short-term memory (Hochreiter and Schmidhuber 1997), after its products:
---gates {n,4*hidden} has the sums of i, f, g, o side by side, cell {n,hidden} is the
---state so far. c = sigmoid(f) cell + sigmoid(i) tanh(g), h = sigmoid(o) tanh(c), both
---{n,hidden}.
---@param gates lugano.Tensor|number
---@param cell lugano.Tensor|number
---@return lugano.Tensor h
---@return lugano.Tensor c
function lg.lstm_cell(gates, cell) end
Tensor.lstm_cell = lg.lstm_cell

---1 where a < b, else 0. Shapes broadcast: aligned at the last axis, sizes are equal or
---1.
---@param a lugano.Tensor|number
---@param b lugano.Tensor|number
---@return lugano.Tensor y
function lg.lt(a, b) end
Tensor.lt = lg.lt

---The y with s y + y s = c, for matrices s and c {...,n,n}, s symmetric (of it the
---symmetric part is taken). Where two eigenvalues of s add up to 0, y has nothing for the
---two.
---@param s lugano.Tensor|number
---@param c lugano.Tensor|number
---@return lugano.Tensor y
function lg.lyapunov(s, c) end
Tensor.lyapunov = lg.lyapunov

---x with value where mask is not 0. Shapes broadcast: aligned at the last axis, sizes are
---equal or 1. What is filled gets the gradient 0.
---@param x lugano.Tensor|number
---@param mask lugano.Tensor|number
---@param value number
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, mask: lugano.Tensor|number, options: { value: number }): lugano.Tensor
function lg.masked_fill(x, mask, value) end
Tensor.masked_fill = lg.masked_fill

---The product of matrices a {...,m,k} and b {...,k,n}: {...,m,n}. Axes before the last
---two are a batch and broadcast. A vector a counts as a row, a vector b as a column, and
---the result lacks that axis. transpose_a: a is kept as {...,k,m}; transpose_b: b is kept
---as {...,n,k}.
---@param a lugano.Tensor|number
---@param b lugano.Tensor|number
---@param transpose_a? boolean
---@param transpose_b? boolean
---@return lugano.Tensor y
---@overload fun(a: lugano.Tensor|number, b: lugano.Tensor|number, options: { transpose_a?: boolean, transpose_b?: boolean }): lugano.Tensor
function lg.matmul(a, b, transpose_a, transpose_b) end
Tensor.matmul = lg.matmul

---The maximum of each window of images x {n,c,h,w}: {n,c,oh,ow}, where oh = floor((h +
---2*padding - kernel) / stride) + 1. A stride of 0 means that of the kernel. What is in
---the padding is never a maximum; the first of equals has the gradient.
---@param x lugano.Tensor|number
---@param kernel integer|integer[]
---@param stride? integer|integer[]
---@param padding? integer|integer[]
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { kernel: integer|integer[], stride?: integer|integer[], padding?: integer|integer[] }): lugano.Tensor
function lg.max_pool2d(x, kernel, stride, padding) end
Tensor.max_pool2d = lg.max_pool2d

---The gradient of max_pool2d: g {n,c,oh,ow} added to zeros {n,c,h,w}, where size is
---{h,w}, at the place in each window that where {n,c,oh,ow} names: from 1, in the order
---kh,kw.
---@param g lugano.Tensor|number
---@param where lugano.Tensor|number
---@param size integer|integer[]
---@param kernel integer|integer[]
---@param stride? integer|integer[]
---@param padding? integer|integer[]
---@return lugano.Tensor y
---@overload fun(g: lugano.Tensor|number, where: lugano.Tensor|number, options: { size: integer|integer[], kernel: integer|integer[], stride?: integer|integer[], padding?: integer|integer[] }): lugano.Tensor
function lg.max_pool2d_back(g, where, size, kernel, stride, padding) end
Tensor.max_pool2d_back = lg.max_pool2d_back

---The number of images x {n,c,h,w} in each window at the place that where {n,c,oh,ow}
---names: the transpose of max_pool2d_back.
---@param x lugano.Tensor|number
---@param where lugano.Tensor|number
---@param kernel integer|integer[]
---@param stride? integer|integer[]
---@param padding? integer|integer[]
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, where: lugano.Tensor|number, options: { kernel: integer|integer[], stride?: integer|integer[], padding?: integer|integer[] }): lugano.Tensor
function lg.max_pool2d_take(x, where, kernel, stride, padding) end
Tensor.max_pool2d_take = lg.max_pool2d_take

---The greater of a and b; a NaN in either goes through. Equal numbers share the gradient.
---Shapes broadcast: aligned at the last axis, sizes are equal or 1.
---@param a lugano.Tensor|number
---@param b lugano.Tensor|number
---@return lugano.Tensor y
function lg.maximum(a, b) end
Tensor.maximum = lg.maximum

---The gradient of maximum(a, b) for a: g where a > b, half of it where they are equal,
---else 0. Shapes broadcast: aligned at the last axis, sizes are equal or 1.
---@param g lugano.Tensor|number
---@param a lugano.Tensor|number
---@param b lugano.Tensor|number
---@return lugano.Tensor y
function lg.maximum_back(g, a, b) end
Tensor.maximum_back = lg.maximum_back

---The mean over the axes dims, or all if none are named. The axes go, or stay with size 1
---if keepdim is true.
---@param x lugano.Tensor|number
---@param dims? integer|integer[]
---@param keepdim? boolean
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { dims?: integer|integer[], keepdim?: boolean }): lugano.Tensor
function lg.mean(x, dims, keepdim) end
Tensor.mean = lg.mean

---The lesser of a and b; a NaN in either goes through. Equal numbers share the gradient.
---Shapes broadcast: aligned at the last axis, sizes are equal or 1.
---@param a lugano.Tensor|number
---@param b lugano.Tensor|number
---@return lugano.Tensor y
function lg.minimum(a, b) end
Tensor.minimum = lg.minimum

---x * tanh(softplus(x)), without overflow (Misra 2019). The result has the shape of x.
---@param x lugano.Tensor|number
---@return lugano.Tensor y
function lg.mish(x) end
Tensor.mish = lg.mish

---The gradient of mish: g (t + x sigmoid(x) (1 - t^2)), with t = tanh(softplus(x)).
---@param g lugano.Tensor|number
---@param x lugano.Tensor|number
---@return lugano.Tensor y
function lg.mish_back(g, x) end
Tensor.mish_back = lg.mish_back

---The squared error (x - y)^2. y has the shape of x, or broadcasts to it. The result is
---their mean or sum, without axes, or with reduction none has the shape of x.
---@param x lugano.Tensor|number
---@param y lugano.Tensor|number
---@param reduction? "mean"|"sum"|"none"
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, y: lugano.Tensor|number, options: { reduction?: "mean"|"sum"|"none" }): lugano.Tensor
function lg.mse(x, y, reduction) end
Tensor.mse = lg.mse

---The gradient of mse for x: 2 g (x - y), divided by their number for a mean.
---@param g lugano.Tensor|number
---@param x lugano.Tensor|number
---@param y lugano.Tensor|number
---@param reduction? "mean"|"sum"|"none"
---@return lugano.Tensor y
---@overload fun(g: lugano.Tensor|number, x: lugano.Tensor|number, y: lugano.Tensor|number, options: { reduction?: "mean"|"sum"|"none" }): lugano.Tensor
function lg.mse_back(g, x, y, reduction) end
Tensor.mse_back = lg.mse_back

---The product a * b, element by element. Shapes broadcast: aligned at the last axis,
---sizes are equal or 1.
---@param a lugano.Tensor|number
---@param b lugano.Tensor|number
---@return lugano.Tensor y
function lg.mul(a, b) end
Tensor.mul = lg.mul

---The part of x that has length indices of the axis dim, from start on. Shares the
---numbers of x where they lie in one run, as those of axis 1 do.
---@param x lugano.Tensor|number
---@param dim integer
---@param start integer
---@param length integer
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { dim: integer, start: integer, length: integer }): lugano.Tensor
function lg.narrow(x, dim, start, length) end
Tensor.narrow = lg.narrow

---The transpose of narrow: x at the indices from start on of an axis dim that is made
---size long, with zeros elsewhere.
---@param x lugano.Tensor|number
---@param dim integer
---@param start integer
---@param size integer
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { dim: integer, start: integer, size: integer }): lugano.Tensor
function lg.narrow_back(x, dim, start, size) end
Tensor.narrow_back = lg.narrow_back

---1 where a differs from b, else 0. Shapes broadcast: aligned at the last axis, sizes are
---equal or 1.
---@param a lugano.Tensor|number
---@param b lugano.Tensor|number
---@return lugano.Tensor y
function lg.ne(a, b) end
Tensor.ne = lg.ne

----x. The result has the shape of x.
---@param x lugano.Tensor|number
---@return lugano.Tensor y
function lg.neg(x) end
Tensor.neg = lg.neg

----x of the right class, where x {n,c,...} or {c} has a log-probability for each of c
---classes, as log_softmax gives them. target has a label from 1 to c for each item, the
---shape of x without axis 2. The mean is weighted, too. weight {c} multiplies the losses
---of each class. The result is the mean or the sum of all, without axes, or with
---reduction none the loss of each item.
---@param x lugano.Tensor|number
---@param target lugano.Tensor|number
---@param weight? lugano.Tensor|number
---@param reduction? "mean"|"sum"|"none"
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, target: lugano.Tensor|number, weight?: lugano.Tensor|number, options: { reduction?: "mean"|"sum"|"none" }): lugano.Tensor
function lg.nll(x, target, weight, reduction) end
Tensor.nll = lg.nll

---The 2-norm, sqrt(sum(x * x)), over the axes dims, or all if none are named. The axes
---go, or stay with size 1 if keepdim is true. At 0 its gradient is 0.
---@param x lugano.Tensor|number
---@param dims? integer|integer[]
---@param keepdim? boolean
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { dims?: integer|integer[], keepdim?: boolean }): lugano.Tensor
function lg.norm(x, dims, keepdim) end
Tensor.norm = lg.norm

---x divided by max(|x|, eps), where |x| is the 2-norm along the axis dim. The result has
---the shape of x.
---@param x lugano.Tensor|number
---@param dim? integer
---@param eps? number
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { dim?: integer, eps?: number }): lugano.Tensor
function lg.normalize(x, dim, eps) end
Tensor.normalize = lg.normalize

---The products of each number of a {n} with each of b {m}: {n,m}.
---@param a lugano.Tensor|number
---@param b lugano.Tensor|number
---@return lugano.Tensor y
function lg.outer(a, b) end
Tensor.outer = lg.outer

---x with more numbers around it. pad has how many before and after the last axis, then
---the axis before it, and so on: {left,right,top,bottom} for images {n,c,h,w}, as in
---PyTorch. They are value, or on the last two axes mirrored at the outermost (reflect),
---or that repeated (replicate). In mode constant a negative number takes away.
---@param x lugano.Tensor|number
---@param pad integer|integer[]
---@param mode? "constant"|"reflect"|"replicate"
---@param value? number
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { pad: integer|integer[], mode?: "constant"|"reflect"|"replicate", value?: number }): lugano.Tensor
function lg.pad(x, pad, mode, value) end
Tensor.pad = lg.pad

---The transpose of pad with mode reflect or replicate, its gradient: what was repeated is
---added up. g has the padded sizes.
---@param g lugano.Tensor|number
---@param pad integer|integer[]
---@param mode? "reflect"|"replicate"
---@return lugano.Tensor y
---@overload fun(g: lugano.Tensor|number, options: { pad: integer|integer[], mode?: "reflect"|"replicate" }): lugano.Tensor
function lg.pad_back(g, pad, mode) end
Tensor.pad_back = lg.pad_back

---x with its axes in another order: axis i of the result is axis dims[i] of x. dims names
---every axis once; {n,c,h,w} with dims {1,3,4,2} becomes {n,h,w,c}.
---@param x lugano.Tensor|number
---@param dims integer|integer[]
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { dims: integer|integer[] }): lugano.Tensor
function lg.permute(x, dims) end
Tensor.permute = lg.permute

---x {n,c,...} divided by sqrt(mean(x^2) + eps), the mean over its channels, axis 2: the
---vector of channels at each place gets the length sqrt(c) (Karras et al. 2018). The
---result has the shape of x.
---@param x lugano.Tensor|number
---@param eps? number
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { eps?: number }): lugano.Tensor
function lg.pixel_norm(x, eps) end
Tensor.pixel_norm = lg.pixel_norm

---Channels laid out as pixels (Shi et al. 2016): x {n,c*r*r,h,w} becomes {n,c,r*h,r*w},
---where r is factor: channel k*r*r + i*r + j is row i and column j of each r by r square
---of channel k, all from 0. There may be more axes before c, or none.
---@param x lugano.Tensor|number
---@param factor integer
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { factor: integer }): lugano.Tensor
function lg.pixel_shuffle(x, factor) end
Tensor.pixel_shuffle = lg.pixel_shuffle

---The inverse of pixel_shuffle: x {n,c,r*h,r*w} becomes {n,c*r*r,h,w}, where r is factor.
---@param x lugano.Tensor|number
---@param factor integer
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { factor: integer }): lugano.Tensor
function lg.pixel_unshuffle(x, factor) end
Tensor.pixel_unshuffle = lg.pixel_unshuffle

---a to the power of b. The gradient for b is 0 where a is 0 and b is not negative. Shapes
---broadcast: aligned at the last axis, sizes are equal or 1.
---@param a lugano.Tensor|number
---@param b lugano.Tensor|number
---@return lugano.Tensor y
function lg.pow(a, b) end
Tensor.pow = lg.pow

---x where x is above 0, else w x: w has one number, or one for each channel of x
---{n,c,...} (He et al. 2015). At 0 its gradient is w. The result has the shape of x.
---@param x lugano.Tensor|number
---@param w lugano.Tensor|number
---@return lugano.Tensor y
function lg.prelu(x, w) end
Tensor.prelu = lg.prelu

---The product over the axes dims, or all if none are named. The axes go, or stay with
---size 1 if keepdim is true. Its gradients are right where numbers are 0, too.
---@param x lugano.Tensor|number
---@param dims? integer|integer[]
---@param keepdim? boolean
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { dims?: integer|integer[], keepdim?: boolean }): lugano.Tensor
function lg.prod(x, dims, keepdim) end
Tensor.prod = lg.prod

---1 / x. The result has the shape of x.
---@param x lugano.Tensor|number
---@return lugano.Tensor y
function lg.reciprocal(x) end
Tensor.reciprocal = lg.reciprocal

---The greater of x and 0; a NaN stays. At 0 its gradient is 0. The result has the shape
---of x.
---@param x lugano.Tensor|number
---@return lugano.Tensor y
function lg.relu(x) end
Tensor.relu = lg.relu

---x, but no less than 0 and no more than 6 (Krizhevsky 2010). At 0 and 6 its gradient is
---0. The result has the shape of x.
---@param x lugano.Tensor|number
---@return lugano.Tensor y
function lg.relu6(x) end
Tensor.relu6 = lg.relu6

---The gradient of relu: g where x was above 0, else 0. mask {ceil(n / 16)} has a bit for
---each of the n numbers of g, 16 of them in a whole number, the lowest first. The result
---has the shape of g.
---@param g lugano.Tensor|number
---@param mask lugano.Tensor|number
---@return lugano.Tensor y
function lg.relu_back(g, mask) end
Tensor.relu_back = lg.relu_back

---The same numbers, in row-major order, with the sizes dims. One of them may be -1: it is
---worked out from the others. Shares the numbers of x.
---@param x lugano.Tensor|number
---@param dims integer|integer[]
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { dims: integer|integer[] }): lugano.Tensor
function lg.reshape(x, dims) end
Tensor.reshape = lg.reshape

---x with its indices along axis dims[i] moved up by shift[i], those that leave at the end
---coming in at the start. Without dims all numbers are moved, in row-major order. The
---result has the shape of x.
---@param x lugano.Tensor|number
---@param shift integer|integer[]
---@param dims? integer|integer[]
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { shift: integer|integer[], dims?: integer|integer[] }): lugano.Tensor
function lg.roll(x, shift, dims) end
Tensor.roll = lg.roll

---The whole number nearest to x, of two the even one. The result has the shape of x.
---@param x lugano.Tensor|number
---@return lugano.Tensor y
function lg.round(x) end
Tensor.round = lg.round

---1 / sqrt(x). The result has the shape of x.
---@param x lugano.Tensor|number
---@return lugano.Tensor y
function lg.rsqrt(x) end
Tensor.rsqrt = lg.rsqrt

---scale * x where x is above 0, else scale * alpha * (exp(x) - 1), with scale 1.0507...
---and alpha 1.6732... (Klambauer et al. 2017). The result has the shape of x.
---@param x lugano.Tensor|number
---@return lugano.Tensor y
function lg.selu(x) end
Tensor.selu = lg.selu

---The gradient of selu by its result y: g * scale where y is above 0, else g * (y + scale
---* alpha).
---@param g lugano.Tensor|number
---@param y lugano.Tensor|number
---@return lugano.Tensor y
function lg.selu_back(g, y) end
Tensor.selu_back = lg.selu_back

---1 / (1 + exp(-x)), without overflow. The result has the shape of x.
---@param x lugano.Tensor|number
---@return lugano.Tensor y
function lg.sigmoid(x) end
Tensor.sigmoid = lg.sigmoid

---The gradient of sigmoid by its result y: g y (1 - y).
---@param g lugano.Tensor|number
---@param y lugano.Tensor|number
---@return lugano.Tensor y
function lg.sigmoid_back(g, y) end
Tensor.sigmoid_back = lg.sigmoid_back

----1, 0 or 1: the sign of x, and NaN of a NaN. The result has the shape of x.
---@param x lugano.Tensor|number
---@return lugano.Tensor y
function lg.sign(x) end
Tensor.sign = lg.sign

---x * sigmoid(x), also called swish (Ramachandran et al. 2017). The result has the shape
---of x.
---@param x lugano.Tensor|number
---@return lugano.Tensor y
function lg.silu(x) end
Tensor.silu = lg.silu

---The gradient of silu: g (s + x s (1 - s)), with s = sigmoid(x).
---@param g lugano.Tensor|number
---@param x lugano.Tensor|number
---@return lugano.Tensor y
function lg.silu_back(g, x) end
Tensor.silu_back = lg.silu_back

---The sine of x, in radians. The result has the shape of x.
---@param x lugano.Tensor|number
---@return lugano.Tensor y
function lg.sin(x) end
Tensor.sin = lg.sin

---exp(x) divided by its sum along the axis dim, without overflow. The result has the
---shape of x.
---@param x lugano.Tensor|number
---@param dim integer
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { dim: integer }): lugano.Tensor
function lg.softmax(x, dim) end
Tensor.softmax = lg.softmax

---The gradient of softmax by its result y: y (g - sum(g y)), the sum along the axis dim.
---@param g lugano.Tensor|number
---@param y lugano.Tensor|number
---@param dim integer
---@return lugano.Tensor y
---@overload fun(g: lugano.Tensor|number, y: lugano.Tensor|number, options: { dim: integer }): lugano.Tensor
function lg.softmax_back(g, y, dim) end
Tensor.softmax_back = lg.softmax_back

---log(1 + exp(x)), without overflow. The result has the shape of x.
---@param x lugano.Tensor|number
---@return lugano.Tensor y
function lg.softplus(x) end
Tensor.softplus = lg.softplus

---The gradient of softplus by its result y: g (1 - exp(-y)).
---@param g lugano.Tensor|number
---@param y lugano.Tensor|number
---@return lugano.Tensor y
function lg.softplus_back(g, y) end
Tensor.softplus_back = lg.softplus_back

---x / (1 + |x|). The result has the shape of x.
---@param x lugano.Tensor|number
---@return lugano.Tensor y
function lg.softsign(x) end
Tensor.softsign = lg.softsign

---The gradient of softsign: g / (1 + |x|)^2.
---@param g lugano.Tensor|number
---@param x lugano.Tensor|number
---@return lugano.Tensor y
function lg.softsign_back(g, x) end
Tensor.softsign_back = lg.softsign_back

---The y with a y = b, for a {...,n,n} and b {...,n,k} or {n}; the axes before the
---matrices broadcast, and y has the shape that a^-1 b has. transpose_a: that of a^T y =
---b. A singular matrix is an error.
---@param a lugano.Tensor|number
---@param b lugano.Tensor|number
---@param transpose_a? boolean
---@return lugano.Tensor y
---@overload fun(a: lugano.Tensor|number, b: lugano.Tensor|number, options: { transpose_a?: boolean }): lugano.Tensor
function lg.solve(a, b, transpose_a) end
Tensor.solve = lg.solve

---x in ascending or descending order along the axis dim, and where each number was, from
---1. Both have the shape of x. Equal numbers keep their order; a NaN counts as the
---greatest.
---@param x lugano.Tensor|number
---@param dim? integer
---@param descending? boolean
---@return lugano.Tensor values
---@return lugano.Tensor indices
---@overload fun(x: lugano.Tensor|number, options: { dim?: integer, descending?: boolean }): lugano.Tensor, lugano.Tensor
function lg.sort(x, dim, descending) end
Tensor.sort = lg.sort

---The square root of x. The result has the shape of x.
---@param x lugano.Tensor|number
---@return lugano.Tensor y
function lg.sqrt(x) end
Tensor.sqrt = lg.sqrt

---The symmetric y with y y = x, for matrices x {...,n,n} that are symmetric and have no
---negative eigenvalue; if one has, that is an error. Of x its symmetric part is taken, (x
---+ x^T) / 2. Where x is singular, the gradient is that of the rest.
---@param x lugano.Tensor|number
---@return lugano.Tensor y
function lg.sqrtm(x) end
Tensor.sqrtm = lg.sqrtm

---x * x. The result has the shape of x.
---@param x lugano.Tensor|number
---@return lugano.Tensor y
function lg.square(x) end
Tensor.square = lg.square

---x without those of the axes dims that have size 1; without any of that size if none are
---named. Shares the numbers of x.
---@param x lugano.Tensor|number
---@param dims? integer|integer[]
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { dims?: integer|integer[] }): lugano.Tensor
function lg.squeeze(x, dims) end
Tensor.squeeze = lg.squeeze

---The tensors of a list, all of one shape, one after the other along an axis that is new:
---dim of the result.
---@param x lugano.Tensor[]
---@param dim? integer
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor[], options: { dim?: integer }): lugano.Tensor
function lg.stack(x, dim) end

---The standard deviation, the square root of var, over the axes dims, or all if none are
---named. The axes go, or stay with size 1 if keepdim is true. Where it is 0 its gradient
---is 0.
---@param x lugano.Tensor|number
---@param dims? integer|integer[]
---@param keepdim? boolean
---@param correction? number
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { dims?: integer|integer[], keepdim?: boolean, correction?: number }): lugano.Tensor
function lg.std(x, dims, keepdim, correction) end
Tensor.std = lg.std

---The difference a - b. Shapes broadcast: aligned at the last axis, sizes are equal or 1.
---@param a lugano.Tensor|number
---@param b lugano.Tensor|number
---@return lugano.Tensor y
function lg.sub(a, b) end
Tensor.sub = lg.sub

---The sum over the axes dims, or all if none are named. The axes go, or stay with size 1
---if keepdim is true.
---@param x lugano.Tensor|number
---@param dims? integer|integer[]
---@param keepdim? boolean
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { dims?: integer|integer[], keepdim?: boolean }): lugano.Tensor
function lg.sum(x, dims, keepdim) end
Tensor.sum = lg.sum

---x = u diag(s) v^T for matrices x {...,m,n}: with k the lesser of m and n, u {...,m,k}
---and v {...,n,k} have orthonormal columns, and s {...,k} the singular values,
---descending. The signs of v follow those of u. The component of a vector that is
---greatest in size is positive. Where two values are equal, the gradient of their vectors
---lacks its term for the two.
---@param x lugano.Tensor|number
---@return lugano.Tensor u
---@return lugano.Tensor s
---@return lugano.Tensor v
function lg.svd(x) end
Tensor.svd = lg.svd

---The hyperbolic tangent of x. The result has the shape of x.
---@param x lugano.Tensor|number
---@return lugano.Tensor y
function lg.tanh(x) end
Tensor.tanh = lg.tanh

---The gradient of tanh by its result y: g (1 - y^2).
---@param g lugano.Tensor|number
---@param y lugano.Tensor|number
---@return lugano.Tensor y
function lg.tanh_back(g, y) end
Tensor.tanh_back = lg.tanh_back

---x repeated dims[i] times along axis i. If dims and the axes of x differ in number, 1 is
---put before the shorter of them: {2,3} with dims {4} becomes {2,12}.
---@param x lugano.Tensor|number
---@param dims integer|integer[]
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { dims: integer|integer[] }): lugano.Tensor
function lg.tile(x, dims) end
Tensor.tile = lg.tile

---The k greatest numbers of x along the axis dim, the greatest first, and where they
---were, from 1; or the least, the least first. The first of equal numbers comes first; a
---NaN counts as the greatest.
---@param x lugano.Tensor|number
---@param k integer
---@param dim? integer
---@param largest? boolean
---@return lugano.Tensor values
---@return lugano.Tensor indices
---@overload fun(x: lugano.Tensor|number, options: { k: integer, dim?: integer, largest?: boolean }): lugano.Tensor, lugano.Tensor
function lg.topk(x, k, dim, largest) end
Tensor.topk = lg.topk

---x with the axes dim1 and dim2 exchanged: {n,m} becomes {m,n}.
---@param x lugano.Tensor|number
---@param dim1 integer
---@param dim2 integer
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { dim1: integer, dim2: integer }): lugano.Tensor
function lg.transpose(x, dim1, dim2) end
Tensor.transpose = lg.transpose

---The windows that conv2d would see in images x {n,c,h,w}, as columns: {n,c*kh*kw,oh*ow}.
---A matrix {out,c*kh*kw} times it is a convolution.
---@param x lugano.Tensor|number
---@param kernel integer|integer[]
---@param stride? integer|integer[]
---@param padding? integer|integer[]
---@param dilation? integer|integer[]
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { kernel: integer|integer[], stride?: integer|integer[], padding?: integer|integer[], dilation?: integer|integer[] }): lugano.Tensor
function lg.unfold(x, kernel, stride, padding, dilation) end
Tensor.unfold = lg.unfold

---x with one more axis, of size 1, which is axis dim of the result. Shares the numbers of
---x.
---@param x lugano.Tensor|number
---@param dim integer
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { dim: integer }): lugano.Tensor
function lg.unsqueeze(x, dim) end
Tensor.unsqueeze = lg.unsqueeze

---Images x {n,c,h,w} made {n,c,scale*h,scale*w}, or, where size {oh,ow} is given, of that
---size. nearest repeats pixels: row i is row floor(i*h/oh), i from 0. bilinear
---interpolates between the middles of pixels, and repeats the outermost, as PyTorch does
---with align_corners false.
---@param x lugano.Tensor|number
---@param scale? integer|integer[]
---@param mode? "nearest"|"bilinear"
---@param size? integer|integer[]
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { scale?: integer|integer[], mode?: "nearest"|"bilinear", size?: integer|integer[] }): lugano.Tensor
function lg.upsample(x, scale, mode, size) end
Tensor.upsample = lg.upsample

---The transpose of upsample, its gradient: g {n,c,oh,ow} added up in images {n,c,h,w},
---where size is {h,w}.
---@param g lugano.Tensor|number
---@param size integer|integer[]
---@param mode? "nearest"|"bilinear"
---@return lugano.Tensor y
---@overload fun(g: lugano.Tensor|number, options: { size: integer|integer[], mode?: "nearest"|"bilinear" }): lugano.Tensor
function lg.upsample_back(g, size, mode) end
Tensor.upsample_back = lg.upsample_back

---The variance over the axes dims, or all if none are named. The axes go, or stay with
---size 1 if keepdim is true. The sum of squares is divided by the number of terms less
---correction: 1 for the unbiased estimate, 0 for the biased.
---@param x lugano.Tensor|number
---@param dims? integer|integer[]
---@param keepdim? boolean
---@param correction? number
---@return lugano.Tensor y
---@overload fun(x: lugano.Tensor|number, options: { dims?: integer|integer[], keepdim?: boolean, correction?: number }): lugano.Tensor
function lg.var(x, dims, keepdim, correction) end
Tensor.var = lg.var

---a where cond is not 0, else b. The side that is not chosen gets the gradient 0,
---whatever its numbers are. Shapes broadcast: aligned at the last axis, sizes are equal
---or 1.
---@param cond lugano.Tensor|number
---@param a lugano.Tensor|number
---@param b lugano.Tensor|number
---@return lugano.Tensor y
function lg.where(cond, a, b) end
Tensor.where = lg.where

---One number: as many indices as axes, from 1, or negative from the end.
---@param ... integer
---@return number
function Tensor:at(...) end

---Lets the numbers go at once; as does `local t <close>`.
function Tensor:close() end

---Overwrites all numbers.
---@param source lugano.Tensor
---@return lugano.Tensor
function Tensor:copy(source) end

---The same numbers without history.
---@return lugano.Tensor
function Tensor:detach() end

---The number of a tensor that has one.
---@return number
function Tensor:item() end

---How many numbers there are.
---@return integer
function Tensor:numel() end

---All sizes, or that of one axis.
---@param dim? integer
---@return integer ...
function Tensor:size(dim) end

---From first to last along an axis; both count.
---@param dim integer
---@param first integer
---@param last? integer
---@return lugano.Tensor
function Tensor:slice(dim, first, last) end

---The numbers, as nested tables.
---@return any
function Tensor:totable() end

---A new leaf that shares the numbers: gradients flow to it.
---@return lugano.Tensor
function Tensor:track() end
Tensor.split = lg.split
Tensor.clone = lg.clone

---Training mode, or eval mode for train(false): dropout and batch norm differ.
---@param flag any
---@return any
function Net:train(flag) end

---Eval mode: dropout does nothing, batch norm uses its running statistics.
---@return any
function Net:eval() end

---Loops over all parts in a net, each once, in order; or over those of one kind: A kind
---is what print(G) shows: "Linear", "relu", "Sequential", "function".
---@param kind? string
---@return function
function Net:parts(kind) end

---The part at a path, as print shows it: G:part "body.1.norm". Where the path is one
---number or name, G[1] and G.body are the same.
---@param path string
---@return lugano.Net
function Net:part(path) end

---Shows the results of an inner part to a function, f(y, x), at each call, until the tap
---is closed: y, its first result, with its history, and x, its first input. So features
---are matched (Salimans et al. 2016): What f returns is not used. While shapes are found,
---and in a clone, nothing is shown.
---@param path string
---@param f function
---@return lugano.Tap
function Net:tap(path, f) end

---All parameters and buffers: a sorted list of { name = "2.weight", tensor =, buffer = }.
---Names are positions and fields. What stands in a net twice is there once, by the first
---of its names; what stands in two nets is in the state of each.
---@return any
function Net:state() end

---The tensors that an optimizer changes, in the order of state().
---@return any
function Net:parameters() end

---Loops over the parameters: for name, p in G:named_parameters() do ... end
---@return function
function Net:named_parameters() end

---The parameter or buffer of a name: G:parameter "2.weight".
---@param name string
---@return lugano.Tensor
function Net:parameter(name) end

---Copies the numbers of another net, of a list as state() gives it, of tensors by name,
---or of an open file. All must fit, name by name and shape by shape, or nothing is
---changed, and the error lists what differs. With { partial = true } what fits is copied,
---and a report is returned: lists of names, loaded, missing (only here) and unknown (only
---there), and mismatched, a list of { name =, here = shape, there = shape }. It can be
---printed.
---@param source lugano.Net|table
---@param options? table partial = true
---@return any
function Net:load_state(source, options) end

---Loads a safetensors file, as load_state does. Of a run's checkpoint, prefix says which
---net: G:load("out/digits/checkpoints/last.safetensors", { prefix = "G" })
---@param path string
---@param options? table prefix = "G", partial = true
---@return any
function Net:load(path, options) end

---Writes all parameters and buffers to a safetensors file, whole or not at all.
---@param path string
---@return any
function Net:save(path) end

---A copy with parameters and buffers of its own, and the same numbers and mode. A part
---that is shared in the net is shared in the clone. Tensors and parts in fields are
---copied; other fields, and what Lua functions hold, are those of the original. The clone
---keeps the paths, which errors name, unless it is given a name of its own. With {
---tracked = false } no gradient flows to its parameters, and a forward of it makes no
---history: for averages, and for frozen copies.
---@param options? table tracked = false, name = "G2"
---@return lugano.Net
function Net:clone(options) end

---What a net costs, as a table that can be printed. Its rows have path, kind, output,
---parameters (how many), bytes (of parameters and buffers), and, for one sample,
---activations (bytes of its results) and flops (of a forward; a multiplication and an
---addition are two). parameters, bytes, activations and flops are those of the net, and
---its flops count what a Module's forward computes between its parts, too. Taken from the
---first call; what stands in a net twice counts its parameters once.
---@return table
function Net:summary() end

---Gives batch norms the means of their statistics over n calls of f, which runs the net
---on batches of the size that it was trained with; each batch counts the same (Brock et
---al. 2019, appendix D). The batch norms alone are in training mode meanwhile, and no
---history is recorded. If f fails, nothing is changed.
---@param n integer
---@param f function f(i)
---@return any
function Net:standing_statistics(n, f) end

---Takes a tap off; a second time does nothing.
---@return any
function Tap:close() end

---Differentiates a loss with respect to the optimizer's own parameters alone, updates
---them, and returns the loss as a number.
---@param options table clip_norm, the most that the norm of all gradients may be; and clip_value, the most that each of their numbers may be, after that
---@param loss any
---@return any
function Optimizer:minimize(loss, options) end

---An update from gradients, in the order of the net's parameters, or false. Options as
---for minimize.
---@param grads any
---@param options table
---@return any
function Optimizer:step(grads, options) end

---The first half of a step of ExtraAdam or ExtraSGD, from a loss, which it returns as a
---number, or from a list of gradients: the parameters go where a step would take them.
---With a loss that is computed there, minimize then steps from where they were.
---@param loss any
---@param options table
---@return any
function Optimizer:extrapolate(loss, options) end

---What the optimizer keeps: a list of { name = "2.weight.m", tensor = }. The last ones
---have a number for each parameter: `steps`, its updates so far.
---@return any
function Optimizer:state() end

---The numbers that must be saved beside state(), by name: `step`, how many updates there
---were; `assigned_lr`, what the script has set lr to, or -1; other options that it has
---set; `extrapolated`, 1 between the halves of a step. With such a table, sets them.
---@param numbers any
---@return any
function Optimizer:numbers(numbers) end

---A pass over batches: `for x, labels in run:progress(data:batches(64)) do`. Also over
---any function that returns the next thing or nil, or over a number of steps.
---@param source any
---@return any
function Run:progress(source) end

---Notes the values of a step, run:log { D = 1.3, G = 0.8 }: numbers, or tensors with one
---element. The display has their means so far, metrics.jsonl those of ten steps; what is
---logged after a pass is a line of its own.
---@param values any
---@return any
function Run:log(values) end

---Writes a batch as a picture, NAME/STEP.png. What is black and white is the range, -1 to
---1 unless it is given.
---@param options table range = {0, 1}, columns = 8
---@param name string
---@param x lugano.Tensor
---@return any
function Run:image(name, x, options) end

---Looks whether samples that are no pictures, points n,2, have collapsed, as run:image
---does with those that are.
---@param name string
---@param x lugano.Tensor
---@return any
function Run:watch(name, x) end

---Shows the last picture, or says where it is. Called by itself at the end.
---@return any
function Run:finish() end

---Saves the state: checkpoints/STEP.safetensors, and the same as last.safetensors; within
---a step, at its end. With { score = x } also as best-STEP.safetensors, if no more than
---lg.run's option `best` were better.
---@param options table
---@return any
function Run:checkpoint(options) end

---Images of another size, antialiased and bilinear as Pillow's. One number is the shorter
---side, and the longer one follows; two are height and width.
---@param height any
---@param width any
---@return any
function Dataset:resize(height, width) end

---The middle of each image: crop(28), crop(height, width).
---@param height any
---@param width any
---@return any
function Dataset:crop(height, width) end

---Another part of each image in each pass. Without shuffling it is the middle.
---@param height any
---@param width any
---@return any
function Dataset:random_crop(height, width) end

---Mirrors an image from left to right with that chance, 0.5 if not said, in each pass
---anew. Without shuffling none is.
---@param chance any
---@return any
function Dataset:flip(chance) end

---(x - mean) / std of images from 0 to 1, as published means are: normalize(0.5, 0.5) is
----1 to 1, what images are anyway. A number each, or a list with one for each channel.
---@param mean any
---@param std any
---@return any
function Dataset:normalize(mean, std) end

---Some rows: subset(100) is the first 100, subset(101, 200) the next, subset{5, 7} those
---two.
---@param first any
---@param last any
---@return any
function Dataset:subset(first, last) end

---The rows that have one of these labels.
---@param ... any
---@return any
function Dataset:only(...) end

---All labels: n whole numbers.
---@return any
function Dataset:labels() end

---The same set with labels that count from `first`. Those of files count from 0 mostly,
---as set.first_label says; embedding and cross_entropy count from 1.
---@param first any
---@return any
function Dataset:labels_from(first) end

---Rows in the set's own order and without chance, for measuring: rows(100), rows(101,
---200), rows{5, 7}: images and labels, or both images of pairs.
---@param first any
---@param last any
---@return any
function Dataset:rows(first, last) end

---One pass in batches of n: images in [-1, 1], n,c,h,w, and labels where there are; both
---images of pairs. Each call is the next pass. The short last batch is left out unless
---keep_last. The next batch is made in the background unless prefetch = false.
---@param n integer
---@param options table balanced = true, keep_last = true, shuffle = false, prefetch = false
---@return any
function Dataset:batches(n, options) end

---Batches without end, pass after pass. A run that has the stream among its objects goes
---on with it where it stood.
---@param n integer
---@param options table
---@return any
function Dataset:stream(n, options) end

---Counts n more, and moves the average toward the net: after each update of it.
---@param n integer 1 if it isn't given; the size of the batch, to count images
---@return lugano.Average itself
function Average:update(n) end

---The tensors of the averaged net, by their names in it.
---@return any
function Average:state() end

---What has been counted, { seen = 1200 }; with such a table, sets it.
---@param numbers any
---@return any
function Average:numbers(numbers) end

---A batch like x, of which about half are earlier samples: see gan.pool.
---@param x lugano.Tensor {n,...}
---@return lugano.Tensor of the same shape, without history
function Pool:exchange(x) end

---Room for the samples, as a checkpoint has them: { images = {50,1,28,28} }.
---@param shapes any
---@return any
function Pool:reserve(shapes) end

---The samples that are kept, once there are some.
---@return any
function Pool:state() end

---How many samples there are, { count = 50 }; with such a table, sets it.
---@param numbers any
---@return any
function Pool:numbers(numbers) end

---Augments images, with the chance p for each step of the policy; differentiable.
---@param x lugano.Tensor {n,c,h,w}
---@return lugano.Tensor of the shape of x
function Ada:augment(x) end

---Counts the signs of D's scores of augmented real samples, one update's, and every few
---updates moves p: up where their mean is above the target, else down.
---@param scores lugano.Tensor {n,...}
---@return number p
function Ada:update(scores) end

---Nothing but numbers is kept.
---@return any
function Ada:state() end

---What a checkpoint keeps: p, and what was counted since it moved; with such a table,
---sets it.
---@param numbers any
---@return any
function Ada:numbers(numbers) end

---Counts scores real and fake in the averages, and gives the penalty: a scalar.
---@param real lugano.Tensor D's scores of real samples
---@param fake lugano.Tensor D's scores of fake samples
---@return lugano.Tensor
function LeCam:penalty(real, fake) end

---Nothing but numbers is kept.
---@return any
function LeCam:state() end

---What a checkpoint keeps, { real =, fake =, steps = }; with such a table, sets it.
---@param numbers any
---@return any
function LeCam:numbers(numbers) end

---The penalty at latents w {n,dim} or {n,layers,dim}: a scalar. Moves the mean length.
---@param G any a net or a function: w to images
---@param w lugano.Tensor
---@param ... any what else G takes
---@return lugano.Tensor
function PathLength:penalty(G, w, ...) end

---Nothing but numbers is kept.
---@return any
function PathLength:state() end

---What a checkpoint keeps, { mean =, steps = }; with such a table, sets it.
---@param numbers any
---@return any
function PathLength:numbers(numbers) end

---Shows the picture in the terminal; false where that is not possible.
---@return any
function Picture:show() end

---A copy of x with numbers of its own, through which gradients flow.
---@param x lugano.Tensor
---@return any
function lg.clone(x) end

---Gradients of y, a tensor of one element, with respect to tensors of its history.
---`lg.grad(y, x)` gives a tensor, `lg.grad(y, {a, b})` a list in that order; a net stands
---for its parameters. Options: create_graph, retain_graph, allow_unused; partial, which
---lets no gradient flow through one of the tensors to another; and seed, a tensor of y's
---shape that weights y's elements.
---@param y lugano.Tensor
---@param wanted any
---@param options table
---@return any
function lg.grad(y, wanted, options) end

---An operator in Lua. forward(...) computes the result, or up to four, from its
---arguments; no history is recorded meanwhile. backward(g, y, ...) gets the gradient for
---the result, the result, and the arguments; it returns a gradient for each argument,
---false where that is zero or the argument is no tensor. Of several results, g and y are
---lists. Made of operators, backward has gradients itself: so the operator has as many as
---that. What forward works out besides its results is a constant to backward: compute it
---there again.
---@param spec table forward, backward, and for messages a name
---@return function
function lg.custom(spec) end

---Compares the gradients of f, a function of tensors or a net, with differences: all
---elements of all results by all elements of all inputs, at first and second order. true,
---or an error that names the worst.
---@param options table order = 1 or 2, step of the differences, tolerance (times 1 + the largest gradient)
---@param f function
---@param inputs any
---@return any
function lg.gradcheck(f, inputs, options) end

---All tensors of a safetensors file by name, and its notes: texts by key. Elements are
---read whatever their type is; whole numbers become whole floats.
---@return table
---@return table
---@param path string
function lg.load(path) end

---Calls f(...) and keeps none of what it computes: a walk computes it again, with the
---same random numbers, when it needs it (Chen, Xu, Zhang and Guestrin 2016). f, a
---function or a net, must do the same both times. It may read tracked tensors besides its
---arguments: a net's parameters. Running statistics are updated by the first time alone.
---@param f function
---@param ... any
---@return any
function lg.recompute(f, ...) end

---Writes tensors by name, and notes (texts by key), in the order of their names. An
---earlier file stays until the new one is whole.
---@param path string
---@param by_name any
---@param notes any
---@return any
function lg.save(path, by_name, notes) end

---The parts of x along the axis dim, 1 if it isn't given, in a list. `size` is that of
---each part, the last of which may be smaller; or a table of all their sizes, which must
---add up to that of the axis. `lg.cat(x:split(size, dim), dim)` is x.
---@return table
---@param x lugano.Tensor
---@param size any
---@param dim any
function lg.split(x, size, dim) end

lg.data = {}

---Images of an IDX file (MNIST's format, gzip or not), and their labels.
---@param files table images = path, labels = path, and any set's options
---@return any
function lg.data.idx(files) end

---The rows of a NumPy file, and labels of another. Unsigned bytes are images, n,h,w or
---n,c,h,w, or n,h,w,c with channels_last; any others stay the numbers that they are.
---@param files string|table path, or images = path, labels = path, channels_last = true
---@param options table
---@return any
function lg.data.npy(files, options) end

---Reads one array of a NumPy file as it is.
---@param path string
---@return any
function lg.data.read_npy(path) end

---Writes a tensor so that numpy.load reads it.
---@param path string
---@param x lugano.Tensor
---@return any
function lg.data.write_npy(path, x) end

---The rows of a tensor as a set; labels are whole numbers, one a row.
---@param options table name = "what it is shuffled by", and any set's
---@param rows any
---@param labels any
---@return any
function lg.data.tensor(rows, labels, options) end

---The handwritten digits that come with Lugano: 4,500 images, 1,28,28, with labels; or,
---with part = "test", 500 others.
---@param part any
---@param options table
---@return any
function lg.data.digits(part, options) end

---MNIST: 60,000 digits, 1,28,28, or 10,000 with part = "test"; labels 0 to 9. If it is
---missing the error gives the command that gets it.
---@param part any
---@param options table
---@return any
function lg.data.mnist(part, options) end

---Fashion-MNIST: 60,000 pieces of clothing, 1,28,28, or 10,000 with part = "test"; labels
---0 to 9, whose names are set.classes.
---@param part any
---@param options table
---@return any
function lg.data.fashion(part, options) end

---CIFAR-10: 50,000 photographs, 3,32,32, or 10,000 with part = "test"; labels 0 to 9,
---whose names are set.classes.
---@param part any
---@param options table
---@return any
function lg.data.cifar10(part, options) end

---CIFAR-100: as CIFAR-10, with labels 0 to 99, or with labels = "coarse" 0 to 19.
---@param part any
---@param options table
---@return any
function lg.data.cifar100(part, options) end

---Records as CIFAR has them, plain or gzip: a label byte, then red, green and blue.
---@param options table files = {path, ...}, size = 32, label_bytes = 1, label = 1
---@param more any
---@return any
function lg.data.cifar(options, more) end

---A folder of pictures, or of class folders: their names, sorted, are labels from 1 and
---set.classes. Pictures become RGB unless channels = 1; with size they are scaled to
---cover it, and the middle is taken; without, all must be of one size.
---@param path string
---@param options table size = 64 or {height, width}, channels = 3, and any set's
---@return any
function lg.data.folder(path, options) end

---Gaussians on a square grid round 0: n,2, with set.centers, side * side of them.
---@param options table n = 10000, side = 5, spacing = 2, std = 0.05
---@return any
function lg.data.grid(options) end

---Two half circles that reach into each other (scikit-learn's make_moons): n,2, labels 1
---and 2.
---@param options table n = 10000, noise = 0.05
---@return any
function lg.data.moons(options) end

---Pairs of images: `for a, b in set:batches(16) do`. Of one folder, whose pictures are
---two side by side, a the left one; of two folders with the same names; or of two sets. A
---random crop or flip is the same for both.
---@param options table folder = path; or a, b = paths or sets; size, channels; any set's
---@return any
function lg.data.paired(options) end

---Gaussians on a circle: n,2, label k of center k. set.centers is modes,2, and set.std.
---@param options table n = 10000, modes = 8, radius = 2, std = 0.02
---@return any
function lg.data.ring(options) end

---Images of three random digits each, as red, green and blue: n,3,h,w, and labels 1 to
---1000, of 100 * red + 10 * green + blue + 1 (Metz et al. 2017). Nothing is copied.
---@param options table n = 25600, of = data.digits(), or another gray set with labels
---@return any
function lg.data.stacked(options) end

---A spiral: n,2, from -1.4 to 1.4 or so. The curve is scikit-learn's, a tenth as large.
---@param options table n = 10000, noise = 0.02
---@return any
function lg.data.swiss_roll(options) end

---Two sets that are drawn independently: `for a, b in set:batches(16) do`. A pass is one
---of the larger set; the smaller one begins anew within it.
---@param options table a, b = paths of folders, or sets; size, channels; any set's
---@return any
function lg.data.unpaired(options) end

lg.gan = {}

---Adaptive discriminator augmentation (Karras et al. 2020): an object that is called with
---images and augments them, each step with the chance `ada.p`, and `ada:update(D's scores
---of the real ones)` after each update of D, which raises p where D is too sure of the
---real. All that D sees is augmented, in both players' updates. Gradients flow through,
---of any order, R1's among them. To be given to lg.run. The policy names steps, or groups
---of them: blit (xflip, rotate90, xint, a translation by whole pixels), geom (scale,
---rotate, aniso, xfrac, a translation), color (brightness, contrast, lumaflip, hue,
---saturation, of which the last two leave gray images alone), and corrupt (noise,
---cutout). Strengths are the paper's. Options: policy = "blit,geom,color"; p = 0, to
---begin with; target = 0.6, the mean sign to hold; images = 500000, how many real ones p
---takes from 0 to 1; every = 4, updates of D between changes of p.
---@param options table policy, p, target, images, every
---@return lugano.Ada
function lg.gan.ada(options) end

---Every latent with every class: a row a latent, a column a class.
---@param z lugano.Tensor {rows,dim}
---@param classes integer
---@return lugano.Tensor
---@return lugano.Tensor {rows*classes,dim}, and labels {rows*classes}
function lg.gan.class_grid(z, classes) end

---Sets every parameter that is beyond -bound .. bound to the nearer of the two (Arjovsky
---et al. 2017): after each update of the critic. Running statistics stay.
---@param net lugano.Net
---@param bound number 0.01 if it isn't given, as in the paper
---@return lugano.Net the net
function lg.gan.clip_weights(net, bound) end

---Consistency regularization (Zhang et al. 2020): the mean of (D(x) - D(T(x)))^2, where T
---is an augmentation that keeps the meaning. With the real samples it is CR, weighted by
---10 in the paper; bCR (Zhao et al. 2021) adds that of the fake ones. No gradient flows
---to what made x.
---@param D any a net or a function: samples to scores
---@param x lugano.Tensor {n,...}
---@param augment any a function of x, or a policy of gan.diffaugment; "translation" if it isn't given
---@param ... any what else D takes: labels
---@return lugano.Tensor
function lg.gan.consistency(D, x, augment, ...) end

---Augments images, each in its own way, so that D learns little of them by heart (Zhao et
---al. 2020). To be applied to all that D sees, in both players' updates; each call draws
---anew, for real and fake alike. The policy names what is done, in its order: color
---(brightness, saturation unless there is one channel, contrast), translation by whole
---pixels, cutout of a square. Options: translation = 0.125, the most as a share of the
---size; cutout = 0.5, its size as a share.
---@param x lugano.Tensor {n,c,h,w}
---@param policy string "color,translation,cutout" if it isn't given
---@param options table translation, cutout
---@return lugano.Tensor of the shape of x
function lg.gan.diffaugment(x, policy, options) end

---The penalty of DRAGAN (Kodali et al. 2017): the mean of (|the gradient of D at x| -
---target)^2 round the real samples: at x + a noise s u, where s is the standard deviation
---of all numbers of the batch, u is uniform from 0 to 1 for each number and a for each
---sample, as in its authors' program. DRAGAN's weight is 10. Options: noise = 0.5, target
---= 1, one_sided = false; further arguments are for D.
---@param D any a net or a function: samples to scores, {n,...}
---@param real lugano.Tensor {n,...}
---@param ... any options, and what else D takes
---@return lugano.Tensor
function lg.gan.dragan(D, real, ...) end

---The exponential moving average of a net's parameters (Karras et al. 2018; Brock et al.
---2019; Yazici et al. 2019): `ema.model` is a copy of the net, in eval mode and without
---gradients, that `ema:update()` moves toward it. To be given to lg.run. update() counts
---1, update(n) counts n, and what was there keeps the share decay^n: so decay is for one
---update, or, where n is the size of the batch, for one image. In place of decay:
---halflife, after how many half of it is forgotten. rampup: the half-life is at most this
---share of all that was counted, 0.05 as in StyleGAN2, so that the first pictures go.
---start = 0: until so many were counted the average is a copy. Parameters are averaged,
---and of the buffers the running statistics, as in BigGAN; other buffers are copied.
---buffers = "copy" copies all of them, as StyleGAN2 does.
---@param net lugano.Net with shapes: `input = {...}` was declared, or it was called
---@param options table decay = 0.999 or halflife, rampup, start, buffers
---@return lugano.Average
function lg.gan.ema(net, options) end

---The gradient penalty of WGAN-GP (Gulrajani et al. 2017): the mean over the samples of
---(|the gradient of D at x| - target)^2, where each x is at a random place between a real
---sample and a fake one. The norm is over all axes of a sample. No gradient flows to
---fake. Options: target = 1 (0: Thanh-Tung et al. 2019); one_sided = false, true to
---punish only what is steeper than target (Petzka et al. 2018). Further arguments, labels
---say, follow the options or stand in their place, and are handed to D.
---@param D any a net or a function: samples to scores, {n,...}
---@param real lugano.Tensor {n,...}
---@param fake lugano.Tensor of the same shape
---@param ... any options, and what else D takes
---@return lugano.Tensor
function lg.gan.gradient_penalty(D, real, fake, ...) end

---A field of latents between four, its corners: top left, top right, bottom left, bottom
---right. Steps go down both sides, and across from side to side.
---@param corners lugano.Tensor {4,dim}
---@param rows integer from 2
---@param columns integer from 2
---@param options table spherical = true; false goes straight
---@return lugano.Tensor {rows*columns,dim}
function lg.gan.grid(corners, rows, columns, options) end

---A row of steps from each of the latents a to that of b, for a grid of pictures:
---@param a lugano.Tensor {rows,dim}
---@param b lugano.Tensor {rows,dim}
---@param columns integer steps a row, from 2, both ends included
---@param options table spherical = true; false goes straight
---@return lugano.Tensor {rows*columns,dim}
function lg.gan.interpolate(a, b, columns, options) end

---The regularization of LeCam-GAN, for few data (Tseng et al. 2021): the mean of (D(x) -
---the moving average of D(G(z)))^2 plus that of (D(G(z)) - the moving average of D(x))^2.
---An object to be called with the scores at each update of D, and to be given to lg.run.
---Options: decay = 0.99, of the averages, which begin with the first scores; start = 0, a
---number of updates during which the averages are the latest means and the penalty is 0;
---one_sided = false, true to punish only scores that are too sure, real ones above and
---fake ones below, as the authors' program does.
---@param options table decay, start, one_sided
---@return lugano.LeCam
function lg.gan.lecam(options) end

---a + (b - a) t: from a, at t = 0, to b, at t = 1, straight on.
---@param a lugano.Tensor
---@param b lugano.Tensor of the shape of a
---@param t any a number, or a tensor that broadcasts to them
---@return lugano.Tensor
function lg.gan.lerp(a, b, t) end

---The two sides of a GAN's loss, by name. minimax, non_saturating, least_squares,
---wasserstein, hinge, relativistic (paired) and relativistic_averaged. Scores are logits,
---tensors of any shape; what comes back is a scalar to minimize, the mean over all scores
---of each kind. Options of minimax, non_saturating and least_squares: smoothing = 0, how
---much the label of the real comes toward that of the fake, 0.1 say (Salimans et al.
---2016), and flip = 0, the chance that a sample's label is exchanged; both for the
---discriminator alone. Of least_squares, too: real = 1, fake = 0, target = 1 (Mao's b, a
---and c).
---@param name string
---@param options table smoothing, flip, real, fake, target
---@return table { name =, discriminator = f(real, fake), generator = f(fake, real) }
function lg.gan.loss(name, options) end

---The path length regularization of StyleGAN2 (Karras et al. 2020): the mean of (|J^T y|
---- a)^2, where J is the Jacobian of the images by w, y random pictures, and a the moving
---average of the lengths, which begins at 0 and is a constant to gradients. An object to
---be called, and to be given to lg.run. StyleGAN2's weight is 2, and 8 where it is added
---every fourth update. Option: decay = 0.99, of the average.
---@param options table decay
---@return lugano.PathLength
function lg.gan.path_length(options) end

---A history of fakes (Shrivastava et al. 2017): an object that is called with a batch and
---returns one of the same size. While there is room, samples are kept, and returned; then
---each is, by the toss of a coin, returned, or exchanged for a random one of those kept,
---as in CycleGAN. What it returns is for D: it has no history. To be given to lg.run.
---@param n integer how many it keeps; 0: none, and batches are returned as they are
---@return lugano.Pool
function lg.gan.pool(n) end

---R1 (Mescheder et al. 2018): the mean over the real samples of |the gradient of D|^2,
---without the factor gamma / 2 of the paper, `loss + gamma / 2 * gan.r1(D, x)`. The norm
---is over all axes of a sample.
---@param D any a net or a function: samples to scores, {n,...}
---@param real lugano.Tensor {n,...}
---@param ... any what else D takes: labels
---@return lugano.Tensor
function lg.gan.r1(D, real, ...) end

---R2 (Mescheder et al. 2018): R1 at fake samples. No gradient flows to what made them.
---@param D any a net or a function: samples to scores, {n,...}
---@param fake lugano.Tensor {n,...}
---@param ... any what else D takes: labels
---@return lugano.Tensor
function lg.gan.r2(D, fake, ...) end

---Spherical interpolation (Shoemake 1985; White 2016): from a, at t = 0, to b, at t = 1,
---along the arc between them, so that the length, on which a normal latent's meaning
---depends, does not shrink midway. Vectors lie along the last axis; parallel, opposite
---and zero ones are joined by a line. The result has no history.
---@param a lugano.Tensor {dim} or {...,dim}
---@param b lugano.Tensor of the shape of a
---@param t any a number, or a tensor with one for each vector
---@return lugano.Tensor of the shape of a
function lg.gan.slerp(a, b, t) end

---The root mean square distance of two samples of a batch, as a number. Against that of
---as many real samples it tells a collapse: 1 is as varied as the data, 0 is one sample.
---@param x lugano.Tensor {n,...}, n from 2
---@return number
function lg.gan.spread(x) end

---mean + psi * (w - mean): StyleGAN's truncation of intermediate latents (Karras et al.
---2019), where mean is that of many w.
---@param w lugano.Tensor {n,...,dim}
---@param mean any {dim}, or a number
---@param psi number 1 changes nothing, 0 makes all of them the mean
---@return lugano.Tensor
function lg.gan.truncate(w, mean, psi) end

---Normal random numbers, where those beyond -psi .. psi are drawn again (Brock et al.
---2019, the truncation trick): a smaller psi makes better pictures, and less various
---ones.
---@param n integer how many latents
---@param dim any their size, or a table of sizes
---@param psi number above 0
---@return lugano.Tensor {n,dim}
function lg.gan.truncated(n, dim, psi) end

lg.image = {}

---The picture of a batch: n,c,h,w or n,h,w, side by side; c,h,w is one image.
---@param x table tensor
---@param options table range = {-1, 1}, columns = 8
---@return userdata the picture, with methods save, show, size and pixels
---@return number
---@return number the parts of the numbers that clip, and that are none
function lg.image.grid(x, options) end

---Writes a tensor as PNG: one image c,h,w or h,w, or a batch as a grid.
---@param path string
---@param x lugano.Tensor
---@param options table
---@return any
function lg.image.save(path, x, options) end

---Reads a PNG: c,h,w in [-1, 1], with 1 channel if it is gray, else 3.
---@param channels integer 1 or 3, to make it so
---@param path string
---@return any
function lg.image.load(path, channels) end

lg.nn = {}

---A chain: each part gets the result of the one before it.
---@param given any
---@return any
function lg.nn.Sequential(given) end

---x plus what a chain makes of it (He et al. 2016). Its shape must be that of x. Other
---inputs go to the first layer.
---@param given any
---@return any
function lg.nn.Residual(given) end

---Fields that are layers or nets become parts, lists of them chains. A tensor becomes a
---parameter if it is tracked, w = lg.randn(4, 4):track(), and else a buffer, which is
---saved, loaded and cloned, too, and no optimizer touches. The rest is the script's own.
---`forward` says what is computed: forward(m, ...).
---@param given any
---@return any
function lg.nn.Module(given) end

---A list of f(1), f(2), ... f(n).
---@param n integer
---@param f function
---@return any
function lg.nn.Repeat(n, f) end

---Every layer's descriptor as data, by name: options, args, doc, samples.
---@return table
function lg.nn.layers() end

lg.optim = {}

---Options with defaults, typed from them, as the command line changes them.
---@param defaults table name = value, or name = {value, "what it is"}
---@return table the values by name; reading or setting another name is an error
function lg.options(defaults) end

---Begins a run, or goes on with it if the options say resume.
---@param name string of the run: its folder is out/NAME, or that of --out
---@param opt table what lg.options gave
---@param objects table nets, optimizers and the like by name: they are saved
---@param settings table keep = 3, the last checkpoints, which stay; best = 1, those of the best score, run:checkpoint { score = x }; better = "lower" or "higher"; on_nan = "warn", "rollback" or "stop"; log_every = 10 steps; alarms = true
---@return any
function lg.run(name, opt, objects, settings) end

lg.optim.schedule = {}

---The same rate for all steps.
---@param options table from; warmup = 0, how many updates it takes to rise to it
---@return any
function lg.optim.schedule.constant(options) end

---In a straight line from one rate to another, which then stays.
---@param options table from, to = 0; steps, all there are; warmup = 0, a part of them
---@return any
function lg.optim.schedule.linear(options) end

---Along half a cosine from one rate to another, which then stays (Loshchilov and Hutter
---2017, without restarts).
---@param options table from, to = 0; steps, all there are; warmup = 0, a part of them
---@return any
function lg.optim.schedule.cosine(options) end

---Times a factor for each update; or from one rate to another, which then stays, by what
---factor that takes.
---@param options table from; either factor, or to and steps; warmup = 0
---@return any
function lg.optim.schedule.exponential(options) end

---Times a factor every so many updates after the warm-up, or at the steps named.
---@param options table from, factor = 0.1; either every, or at; warmup = 0
---@return any
function lg.optim.schedule.step(options) end

---A warm-up before any rate: in n updates it rises in equal steps to what the rate begins
---with; then comes the rate, from its own step 0.
---@param n integer how many updates it takes
---@param rate any a number, a schedule, or a function of a step
---@return any
function lg.optim.schedule.warmup(n, rate) end

---Adaptive instance normalization: each channel of each sample of x {n,c,...} normalized
---by its own mean and variance, times 1 + the first half of s, plus the second, where s =
---style weight' + bias is {n,2c} of styles {n,features} (Huang and Belongie 2017; the map
---is StyleGAN's, Karras et al. 2019). The weight is {2c,features} and begins as U(-k, k),
---k = 1 / sqrt(features), or as init says, the bias {2c} at zero. For spectral,
---weight_norm and equalized see Linear. Its equalized scale is 1 / sqrt(features).
---@param options { [integer]: any, name?: string, eps?: number, init?: string, spectral?: boolean, weight_norm?: boolean, equalized?: boolean }
---@return lugano.Net
function lg.nn.AdaIN(options) end

---Images of any size made {h',w'}, which is out: {n,c,h,w} becomes {n,c,h',w'}, each
---number the mean of its part of the image. out 1 is global pooling.
---@param options { [integer]: any, name?: string, out?: integer|integer[] }
---@return lugano.Net
function lg.nn.AdaptiveAvgPool2d(options) end

---The mean of each window of images: {n,c,h,w} becomes {n,c,h',w'}, h' = floor((h + 2
---padding - kernel) / stride) + 1. A stride of 0 is the kernel's size. The zeros of the
---padding count, as in PyTorch.
---@param options { [integer]: any, name?: string, kernel?: integer|integer[], stride?: integer|integer[], padding?: integer|integer[] }
---@return lugano.Net
function lg.nn.AvgPool2d(options) end

---The operator batch_norm on {batch,channels,...}, with weight and bias {channels} if
---affine. In training it normalizes by the batch, and moves running_mean and running_var
---(unbiased) towards it by momentum; in eval mode it normalizes by those. Ioffe and
---Szegedy 2015.
---@param options { [integer]: any, name?: string, eps?: number, momentum?: number, affine?: boolean }
---@return lugano.Net
function lg.nn.BatchNorm(options) end

---Batch normalization of x {n,c,...}, times a weight and plus a bias of each sample's
---own, which y gives. With classes, y is labels {n}, whole numbers from 1, and weight and
---bias are {classes,c}, a row for each label, ones and zeros at first (Dumoulin et al.
---2017, de Vries et al. 2017). Without, y is vectors {n,features}, say noise and a shared
---embedding of the labels, that are mapped: 1 + y weight' and y bias', with weight and
---bias {c,features} (Brock et al. 2019). These maps begin as U(-k, k), k = 1 /
---sqrt(features), or as init says. Statistics are as in BatchNorm: those of the batch in
---training, running_mean and running_var in eval mode. For spectral, weight_norm and
---equalized see Linear. A map's equalized scale is 1 / sqrt(features).
---@param options { [integer]: any, name?: string, classes?: integer, eps?: number, momentum?: number, init?: string, spectral?: boolean, weight_norm?: boolean, equalized?: boolean }
---@return lugano.Net
function lg.nn.ConditionalBatchNorm(options) end

---The operator conv1d with a weight of {out, c/groups, k} and a bias of {out}: {n,c,l}
---becomes {n,out,l'}. Both begin as U(-k, k), k = 1 / sqrt(c/groups kernel), as PyTorch's
---do; where init is given it is the weight's, and the bias begins at zero. For spectral,
---weight_norm and equalized see Linear.
---@param options { [integer]: any, name?: string, act?: any, norm?: any, out?: integer, kernel?: integer, stride?: integer, padding?: integer, dilation?: integer, groups?: integer, bias?: boolean, init?: string, spectral?: boolean, weight_norm?: boolean, equalized?: boolean }
---@return lugano.Net
function lg.nn.Conv1d(options) end

---The operator conv2d with a weight of {out, c/groups, kh, kw} and a bias of {out}:
---{n,c,h,w} becomes {n,out,h',w'}. Both begin as U(-k, k), k = 1 / sqrt(c/groups kh kw),
---as PyTorch's do; where init is given it is the weight's, and the bias begins at zero.
---For spectral, weight_norm and equalized see Linear.
---@param options { [integer]: any, name?: string, act?: any, norm?: any, out?: integer, kernel?: integer|integer[], stride?: integer|integer[], padding?: integer|integer[], dilation?: integer|integer[], groups?: integer, bias?: boolean, init?: string, spectral?: boolean, weight_norm?: boolean, equalized?: boolean }
---@return lugano.Net
function lg.nn.Conv2d(options) end

---The operator conv_transpose1d with a weight of {c, out/groups, k} and a bias of {out}:
---{n,c,l} becomes {n,out,l'}, longer by stride. Both begin as U(-k, k), k = 1 /
---sqrt(out/groups kernel), as PyTorch's do; where init is given it is the weight's, and
---the bias begins at zero. For spectral, weight_norm and equalized see Linear.
---@param options { [integer]: any, name?: string, act?: any, norm?: any, out?: integer, kernel?: integer, stride?: integer, padding?: integer, dilation?: integer, groups?: integer, bias?: boolean, init?: string, spectral?: boolean, weight_norm?: boolean, equalized?: boolean, output_padding?: integer }
---@return lugano.Net
function lg.nn.ConvTranspose1d(options) end

---The operator conv_transpose2d with a weight of {c, out/groups, kh, kw} and a bias of
---{out}: {n,c,h,w} becomes {n,out,h',w'}, larger by stride. Both begin as U(-k, k), k = 1
---/ sqrt(out/groups kh kw), as PyTorch's do; where init is given it is the weight's, and
---the bias begins at zero. For spectral, weight_norm and equalized see Linear.
---@param options { [integer]: any, name?: string, act?: any, norm?: any, out?: integer, kernel?: integer|integer[], stride?: integer|integer[], padding?: integer|integer[], dilation?: integer|integer[], groups?: integer, bias?: boolean, init?: string, spectral?: boolean, weight_norm?: boolean, equalized?: boolean, output_padding?: integer|integer[] }
---@return lugano.Net
function lg.nn.ConvTranspose2d(options) end

---In training every number is 0 with probability p, else divided by 1 - p; in eval mode x
---itself. Any shape. Srivastava et al. 2014.
---@param options { [integer]: any, name?: string, p?: number }
---@return lugano.Net
function lg.nn.Dropout(options) end

---Dropout of whole channels of {batch,channels,...}: in training all numbers of a channel
---of a sample are 0 with probability p, else divided by 1 - p; in eval mode x itself.
---Tompson et al. 2015.
---@param options { [integer]: any, name?: string, p?: number }
---@return lugano.Net
function lg.nn.Dropout2d(options) end

---The operator elu as a layer: x where x > 0, else alpha (exp(x) - 1) (Clevert et al.
---2015). Any shape.
---@param options { [integer]: any, name?: string, alpha?: number }
---@return lugano.Net
function lg.nn.ELU(options) end

---For each label, a whole number from 1 to count, the row of the weight {count,out} that
---it names: {n} becomes {n,out}, and any shape gets one more axis of size out. The weight
---begins at N(0, 1), as PyTorch's does. For spectral, weight_norm and equalized see
---Linear.
---@param options { [integer]: any, name?: string, count?: integer, out?: integer, init?: string, spectral?: boolean, weight_norm?: boolean, equalized?: boolean }
---@return lugano.Net
function lg.nn.Embedding(options) end

---Each sample as one row: {batch,...} becomes {batch,features}.
---@param options { [integer]: any, name?: string }
---@return lugano.Net
function lg.nn.Flatten(options) end

---The operator gelu as a layer: x P(x), where P is the normal distribution, or with
---approximate its approximation by tanh (Hendrycks and Gimpel 2016). Any shape.
---@param options { [integer]: any, name?: string, approximate?: string }
---@return lugano.Net
function lg.nn.GELU(options) end

---a sigmoid(b), where a is the first half of x along the axis dim, and b the second: the
---axis becomes half as long (Dauphin et al. 2017). For the channels of {n,c,h,w} dim is
---2.
---@param options { [integer]: any, name?: string, dim?: integer }
---@return lugano.Net
function lg.nn.GLU(options) end

---A step of a gated recurrent unit: x {n,features} and the state h {n,hidden} give the
---next state {n,hidden}. With the gates r, z, n side by side, weight_ih is
---{3*hidden,features}, weight_hh {3*hidden,hidden}, bias_ih and bias_hh {3*hidden}; r =
---sigmoid(W_ir x + b_ir + W_hr h + b_hr), z likewise, n = tanh(W_in x + b_in + r (W_hn h
---+ b_hn)), and the state becomes (1 - z) n + z h (Cho et al. 2014, in PyTorch's form).
---All begin as U(-k, k), k = 1 / sqrt(hidden), as PyTorch's do; where init is given it is
---the weights', and the biases begin at zero. States that are left out are zeros, as a
---sequence begins.
---@param options { [integer]: any, name?: string, hidden?: integer, bias?: boolean, init?: string }
---@return lugano.Net
function lg.nn.GRUCell(options) end

---The operator group_norm: each of the groups of neighboring channels of each sample of
---{batch,channels,...} normalized by its mean and variance, with weight (1 at first) and
---bias (0) {channels} if affine (Wu and He 2018). groups must divide the channels.
---@param options { [integer]: any, name?: string, groups?: integer, eps?: number, affine?: boolean }
---@return lugano.Net
function lg.nn.GroupNorm(options) end

---The operator hardtanh as a layer: x, but no less than min and no more than max. Any
---shape.
---@param options { [integer]: any, name?: string, min?: number, max?: number }
---@return lugano.Net
function lg.nn.Hardtanh(options) end

---The operator instance_norm: each channel of each sample of {batch,channels,...}
---normalized by its own mean and variance, with weight (1 at first) and bias (0)
---{channels} if affine (Ulyanov et al. 2016). With track_running_stats, running_mean and
---running_var follow the averages over the batch by momentum, and in eval mode it
---normalizes by those. PyTorch's defaults.
---@param options { [integer]: any, name?: string, eps?: number, momentum?: number, affine?: boolean, track_running_stats?: boolean }
---@return lugano.Net
function lg.nn.InstanceNorm(options) end

---A step of long short-term memory: x {n,features} and the states h and c {n,hidden} give
---the next h and c. With the gates i, f, g, o side by side, weight_ih is
---{4*hidden,features}, weight_hh {4*hidden,hidden}, bias_ih and bias_hh {4*hidden}; i =
---sigmoid(W_ii x + b_ii + W_hi h + b_hi), f and o likewise, g with tanh, c becomes f c +
---i g, and h is o tanh(c) (Hochreiter and Schmidhuber 1997, in PyTorch's form). All begin
---as U(-k, k), k = 1 / sqrt(hidden), as PyTorch's do; where init is given it is the
---weights', and the biases begin at zero. States that are left out are zeros, as a
---sequence begins.
---@param options { [integer]: any, name?: string, hidden?: integer, bias?: boolean, init?: string }
---@return lugano.Net
function lg.nn.LSTMCell(options) end

---The operator layer_norm: the numbers of the last axes of each sample, together,
---normalized by their mean and variance, with weight (1 at first) and bias (0) of the
---shape of these axes if affine (Ba et al. 2016). axes is how many they are; 0 is the
---last one of {batch,features} and {batch,length,features}, and all but the batch of
---{batch,channels,height,width}, as the critic of WGAN-GP has it.
---@param options { [integer]: any, name?: string, axes?: integer, eps?: number, affine?: boolean }
---@return lugano.Net
function lg.nn.LayerNorm(options) end

---The operator leaky_relu as a layer: x where x > 0, else slope x (Maas et al. 2013). Any
---shape.
---@param options { [integer]: any, name?: string, slope?: number }
---@return lugano.Net
function lg.nn.LeakyReLU(options) end

---x W' + b: {batch,features} becomes {batch,out}. The weight is {out,features}, the bias
---{out}. They begin as U(-k, k), k = 1 / sqrt(features), as PyTorch's do; where init is
---given it is the weight's, and the bias begins at zero. Of spectral, weight_norm and
---equalized one may be true: the weight is divided by its largest singular value, which a
---power iteration in each pass in training follows (Miyato et al. 2018); is made of
---lengths and directions (Salimans and Kingma 2016); or begins at N(0, 1) and is
---multiplied by sqrt(2 / features) at each use (Karras et al. 2018).
---@param options { [integer]: any, name?: string, act?: any, norm?: any, out?: integer, bias?: boolean, init?: string, spectral?: boolean, weight_norm?: boolean, equalized?: boolean }
---@return lugano.Net
function lg.nn.Linear(options) end

---The operator log_sigmoid as a layer: -log(1 + exp(-x)). Any shape.
---@param options { [integer]: any, name?: string }
---@return lugano.Net
function lg.nn.LogSigmoid(options) end

---The operator log_softmax as a layer: the logarithm of exp(x) divided by its sum along
---the axis dim, which 2 is for {batch,classes}. The result has the shape of x.
---@param options { [integer]: any, name?: string, dim?: integer }
---@return lugano.Net
function lg.nn.LogSoftmax(options) end

---The maximum of each window of images: {n,c,h,w} becomes {n,c,h',w'}, h' = floor((h + 2
---padding - kernel) / stride) + 1. A stride of 0 is the kernel's size. What is in the
---padding is never a maximum.
---@param options { [integer]: any, name?: string, kernel?: integer|integer[], stride?: integer|integer[], padding?: integer|integer[] }
---@return lugano.Net
function lg.nn.MaxPool2d(options) end

---The greatest of pieces weighted sums: {batch,features} becomes {batch,out} (Goodfellow
---et al. 2013, as the discriminator of the first GAN had it). The weight is {out pieces,
---features}, the bias {out pieces}; the pieces of an output are neighbors. They begin as
---Linear's. For spectral, weight_norm and equalized see Linear.
---@param options { [integer]: any, name?: string, act?: any, norm?: any, out?: integer, pieces?: integer, bias?: boolean, init?: string, spectral?: boolean, weight_norm?: boolean, equalized?: boolean }
---@return lugano.Net
function lg.nn.Maxout(options) end

---x {n,features} with out more features, which say how near the sample is to the others
---of the batch: {n,features+out} (Salimans et al. 2016). The weight {out kernel_dim,
---features} makes of each sample out rows of kernel_dim numbers; feature b of sample i is
---the sum over all samples j, itself included, of exp(-|M_ib - M_jb|), the 1-norm. The
---weight begins as Linear's. For spectral, weight_norm and equalized see Linear.
---@param options { [integer]: any, name?: string, out?: integer, kernel_dim?: integer, init?: string, spectral?: boolean, weight_norm?: boolean, equalized?: boolean }
---@return lugano.Net
function lg.nn.MinibatchDiscrimination(options) end

---x {n,c,...} with more channels that say how much the samples of a group differ:
---{n,c+channels,...} (Karras et al. 2018). The standard deviation over a group, sqrt(var
---+ 1e-8), is averaged over the places and over c/channels channels. A group has group
---samples, k, k + n/group, ..., or the whole batch if that is smaller or group is 0;
---group must divide n, and channels c.
---@param options { [integer]: any, name?: string, group?: integer, channels?: integer }
---@return lugano.Net
function lg.nn.MinibatchStd(options) end

---The operator mish as a layer: x tanh(log(1 + exp(x))) (Misra 2019). Any shape.
---@param options { [integer]: any, name?: string }
---@return lugano.Net
function lg.nn.Mish(options) end

---A convolution of x {n,c,h,w} whose weight {out,c,kh,kw} is scaled for each sample along
---c by s = style style_weight' + style_bias, {n,c} of styles {n,features}, and, if
---demodulate, then divided for each output by its length, sqrt(sum((w s)^2) + 1e-8):
---{n,out,h,w}, or with upsample {n,out,2h,2w}, by the transpose with stride 2 and the
---filter {1,3,3,1} (StyleGAN2, Karras et al. 2020). bias {out} is added last. kernel is
---odd, and the padding keeps the size. weight and bias begin as those of Conv2d,
---style_weight {c,features} as U(-k, k), k = 1 / sqrt(features), style_bias {c} at one.
---Equalized, both weights begin at N(0, 1) and are scaled by sqrt(2 / inputs) and 1 /
---sqrt(features), and the bias begins at zero.
---@param options { [integer]: any, name?: string, act?: any, norm?: any, out?: integer, kernel?: integer|integer[], upsample?: boolean, demodulate?: boolean, bias?: boolean, init?: string, equalized?: boolean }
---@return lugano.Net
function lg.nn.ModulatedConv2d(options) end

---x + strength noise, where noise {n,1,...} is N(0, 1), drawn anew at each call, in eval
---mode as well, from the script's random numbers (Karras et al. 2019). strength is
---learned and begins at 0: {channels} for {batch,channels,...}, or {1} if not
---per_channel, as StyleGAN2 has it.
---@param options { [integer]: any, name?: string, per_channel?: boolean }
---@return lugano.Net
function lg.nn.NoiseInjection(options) end

---x where x > 0, else w x, with a slope w that is learned (He et al. 2015). The weight is
---{1}, or {channels} for {batch,channels,...} if per_channel, and begins as slope. The
---result has the shape of x.
---@param options { [integer]: any, name?: string, slope?: number, per_channel?: boolean }
---@return lugano.Net
function lg.nn.PReLU(options) end

---x with more numbers around it. pad is one number for all sides of {batch,channels,...},
---or has how many before and after the last axis, then the axis before it:
---{left,right,top,bottom} for images. They are value, or mirrored at the outermost
---(reflect), or that repeated (replicate).
---@param options { [integer]: any, name?: string, pad?: integer|integer[], mode?: string, value?: number }
---@return lugano.Net
function lg.nn.Pad(options) end

---{batch,channels,...} divided by sqrt(mean(x^2) + eps), the mean over the channels: at
---each place, or of each latent vector, the length becomes sqrt(channels) (Karras et al.
---2018).
---@param options { [integer]: any, name?: string, eps?: number }
---@return lugano.Net
function lg.nn.PixelNorm(options) end

---Channels laid out as pixels: {n,c r r,h,w} becomes {n,c,r h,r w}, where r is factor
---(Shi et al. 2016).
---@param options { [integer]: any, name?: string, factor?: integer }
---@return lugano.Net
function lg.nn.PixelShuffle(options) end

---Pixels laid out as channels, the inverse of PixelShuffle: {n,c,r h,r w} becomes {n,c r
---r,h,w}, where r is factor.
---@param options { [integer]: any, name?: string, factor?: integer }
---@return lugano.Net
function lg.nn.PixelUnshuffle(options) end

---A score for features x {n,f} and labels {n}, whole numbers from 1 to classes: x weight'
---+ bias, plus the product of x with the row of the embedding that the label names, {n,1}
---(Miyato and Koyama 2018). weight is {1,f}, embedding {classes,f}, bias {1}; they begin
---as U(-k, k), k = 1 / sqrt(f), or, where init is given, as that says, and the bias at
---zero. The options are for weight and embedding. For spectral, weight_norm and equalized
---see Linear.
---@param options { [integer]: any, name?: string, classes?: integer, bias?: boolean, init?: string, spectral?: boolean, weight_norm?: boolean, equalized?: boolean }
---@return lugano.Net
function lg.nn.ProjectionHead(options) end

---The operator relu as a layer: max(x, 0). Any shape.
---@param options { [integer]: any, name?: string }
---@return lugano.Net
function lg.nn.ReLU(options) end

---The operator relu6 as a layer: min(max(x, 0), 6) (Krizhevsky 2010). Any shape.
---@param options { [integer]: any, name?: string }
---@return lugano.Net
function lg.nn.ReLU6(options) end

---Images {n,c,h,w} with their mirror image at the edge around them: as many as pad says,
---one number for all sides, or {left,right,top,bottom}.
---@param options { [integer]: any, name?: string, pad?: integer|integer[] }
---@return lugano.Net
function lg.nn.ReflectionPad2d(options) end

---Images {n,c,h,w} with the pixels at the edge, repeated, around them: as many as pad
---says, one number for all sides, or {left,right,top,bottom}.
---@param options { [integer]: any, name?: string, pad?: integer|integer[] }
---@return lugano.Net
function lg.nn.ReplicationPad2d(options) end

---Each sample in the shape dims; the batch, axis 1, stays. One of the sizes may be -1: it
---is worked out.
---@param options { [integer]: any, name?: string, dims?: integer|integer[] }
---@return lugano.Net
function lg.nn.Reshape(options) end

---The operator selu as a layer: s x where x > 0, else s a (exp(x) - 1), with s 1.0507...
---and a 1.6732... (Klambauer et al. 2017). Any shape.
---@param options { [integer]: any, name?: string }
---@return lugano.Net
function lg.nn.SELU(options) end

---x + gamma o, where o mixes for each place of images {n,c,h,w} the values of all places:
---their shares are the softmax of the products of its query with their keys (Zhang et al.
---2018). Four 1x1 convolutions without bias: query and key have c/reduction channels,
---value c/2, output c. gamma {1} begins at 0, so that the layer begins as x itself. With
---pool, keys and values are max-pooled to half the size (Brock et al. 2018). For
---spectral, weight_norm and equalized see Linear.
---@param options { [integer]: any, name?: string, reduction?: integer, pool?: boolean, init?: string, spectral?: boolean, weight_norm?: boolean, equalized?: boolean }
---@return lugano.Net
function lg.nn.SelfAttention(options) end

---The operator silu as a layer: x sigmoid(x), also called swish (Ramachandran et al.
---2017). Any shape.
---@param options { [integer]: any, name?: string }
---@return lugano.Net
function lg.nn.SiLU(options) end

---The operator sigmoid as a layer: 1 / (1 + exp(-x)). Any shape.
---@param options { [integer]: any, name?: string }
---@return lugano.Net
function lg.nn.Sigmoid(options) end

---The operator softmax as a layer: exp(x) divided by its sum along the axis dim, which 2
---is for {batch,classes}. The result has the shape of x.
---@param options { [integer]: any, name?: string, dim?: integer }
---@return lugano.Net
function lg.nn.Softmax(options) end

---The operator softplus as a layer: log(1 + exp(x)). Any shape.
---@param options { [integer]: any, name?: string }
---@return lugano.Net
function lg.nn.Softplus(options) end

---The operator softsign as a layer: x / (1 + |x|). Any shape.
---@param options { [integer]: any, name?: string }
---@return lugano.Net
function lg.nn.Softsign(options) end

---The operator tanh as a layer: tanh x. Any shape.
---@param options { [integer]: any, name?: string }
---@return lugano.Net
function lg.nn.Tanh(options) end

---Images made larger by scale, or of the size {h',w'} where that is given: {n,c,h,w}
---becomes {n,c,scale h,scale w}. nearest repeats pixels; bilinear interpolates between
---them, as PyTorch does with align_corners false. With a Conv2d after it, it takes the
---place of a ConvTranspose2d without its checkerboards (Odena et al. 2016).
---@param options { [integer]: any, name?: string, scale?: integer|integer[], mode?: string, size?: integer|integer[] }
---@return lugano.Net
function lg.nn.Upsample(options) end

---Images {n,c,h,w} with zeros around them: as many as pad says, one number for all sides,
---or {left,right,top,bottom}.
---@param options { [integer]: any, name?: string, pad?: integer|integer[] }
---@return lugano.Net
function lg.nn.ZeroPad2d(options) end

---v and u are the running means of the squares of gradients and of steps; the step is lr
---sqrt(u + eps) / sqrt(v + eps) g (Zeiler 2012). PyTorch's numbers.
---@param target lugano.Net|table
---@param options? { lr?: number, weight_decay?: number, maximize?: boolean, rho?: number, eps?: number }
---@return lugano.Optimizer
function lg.optim.Adadelta(target, options) end

---The step is lr g / (sqrt(s) + eps), where s is initial_accumulator and the sum of g^2
---of all steps (Duchi et al. 2011); lr is divided by 1 + lr_decay (t - 1) in step t.
---PyTorch's numbers.
---@param target lugano.Net|table
---@param options? { lr?: number, weight_decay?: number, maximize?: boolean, lr_decay?: number, initial_accumulator?: number, eps?: number }
---@return lugano.Optimizer
function lg.optim.Adagrad(target, options) end

---m and v, the running means of the gradient and of its square, without their bias
---towards zero, give the step lr m / (sqrt(v) + eps) (Kingma and Ba 2015). amsgrad takes
---the largest v so far (Reddi et al. 2018). weight_decay adds to the gradient. PyTorch's
---numbers.
---@param target lugano.Net|table
---@param options? { lr?: number, weight_decay?: number, maximize?: boolean, betas?: number[], eps?: number, amsgrad?: boolean }
---@return lugano.Optimizer
function lg.optim.Adam(target, options) end

---Adam, but weight_decay shrinks the parameters themselves, by lr weight_decay a step
---(Loshchilov and Hutter 2019). PyTorch's numbers.
---@param target lugano.Net|table
---@param options? { lr?: number, weight_decay?: number, maximize?: boolean, betas?: number[], eps?: number, amsgrad?: boolean }
---@return lugano.Optimizer
function lg.optim.AdamW(target, options) end

---Adam with the largest recent gradient, u = max(beta2 u, |g| + eps), in the place of
---sqrt(v) + eps (Kingma and Ba 2015, 7.1). PyTorch's numbers.
---@param target lugano.Net|table
---@param options? { lr?: number, weight_decay?: number, maximize?: boolean, betas?: number[], eps?: number }
---@return lugano.Optimizer
function lg.optim.Adamax(target, options) end

---Adam's extragradient (Gidel et al. 2019, algorithm 4): opt:extrapolate(loss) goes where
---a step of Adam would, and opt:minimize(loss), of a loss computed anew, steps from where
---it was with the gradient found there. Both halves count for the moments.
---@param target lugano.Net|table
---@param options? { lr?: number, weight_decay?: number, maximize?: boolean, betas?: number[], eps?: number, amsgrad?: boolean }
---@return lugano.Optimizer
function lg.optim.ExtraAdam(target, options) end

---The extragradient method (Korpelevich 1976; for GANs Gidel et al. 2019):
---opt:extrapolate(loss) goes where a step of SGD would, and opt:minimize(loss), of a loss
---computed anew, steps from where it was with the gradient found there. It does not
---circle round the balance of two nets.
---@param target lugano.Net|table
---@param options? { lr?: number, weight_decay?: number, maximize?: boolean, momentum?: number, dampening?: number, nesterov?: boolean }
---@return lugano.Optimizer
function lg.optim.ExtraSGD(target, options) end

---The step is lr times the sign of beta1 m + (1 - beta1) g; then m = beta2 m + (1 -
---beta2) g (Chen et al. 2023). weight_decay shrinks the parameters by lr weight_decay a
---step. It wants a third to a tenth of Adam's lr.
---@param target lugano.Net|table
---@param options? { lr?: number, weight_decay?: number, maximize?: boolean, betas?: number[] }
---@return lugano.Optimizer
function lg.optim.Lion(target, options) end

---Adam with Nesterov's momentum, which grows to beta1 by the schedule 1 - 0.96^(t
---momentum_decay) / 2 (Dozat 2016). PyTorch 1.13's numbers.
---@param target lugano.Net|table
---@param options? { lr?: number, weight_decay?: number, maximize?: boolean, betas?: number[], eps?: number, momentum_decay?: number }
---@return lugano.Optimizer
function lg.optim.NAdam(target, options) end

---Adam that expects the next direction to be like this one: it takes this one twice and
---the last one back (Daskalakis et al. 2018, algorithm 1), which ends the circles of two
---nets at the cost of one gradient a step.
---@param target lugano.Net|table
---@param options? { lr?: number, weight_decay?: number, maximize?: boolean, betas?: number[], eps?: number, amsgrad?: boolean }
---@return lugano.Optimizer
function lg.optim.OptimisticAdam(target, options) end

---Adam that knows how uncertain v is at first: its steps are without v as long as v is of
---few gradients, and rectified afterwards, in the place of a warm-up (Liu et al. 2020).
---PyTorch's numbers.
---@param target lugano.Net|table
---@param options? { lr?: number, weight_decay?: number, maximize?: boolean, betas?: number[], eps?: number }
---@return lugano.Optimizer
function lg.optim.RAdam(target, options) end

---v = alpha v + (1 - alpha) g^2, and the step is lr g / (sqrt(v) + eps) (Tieleman and
---Hinton 2012). centered takes the square of the running mean from v (Graves 2013);
---momentum sums the steps. PyTorch's numbers.
---@param target lugano.Net|table
---@param options? { lr?: number, weight_decay?: number, maximize?: boolean, alpha?: number, eps?: number, momentum?: number, centered?: boolean }
---@return lugano.Optimizer
function lg.optim.RMSprop(target, options) end

---p - lr (g + weight_decay p); with momentum, m = momentum m + (1 - dampening) g takes
---the place of g; nesterov looks ahead: g + momentum m (Sutskever et al. 2013). maximize
---climbs. PyTorch's numbers.
---@param target lugano.Net|table
---@param options? { lr?: number, weight_decay?: number, maximize?: boolean, momentum?: number, dampening?: number, nesterov?: boolean }
---@return lugano.Optimizer
function lg.optim.SGD(target, options) end

return lg
