--- foreign.lua - what other programs call things, for the errors that suggest a name.
--
-- A word stands for the one of ours that it means, and is suggested where that one fits.
-- Words of `advice` have no counterpart.

local foreign <const> = {}

local words <const> = {
  -- tensors
  view = "reshape", max = "amax", min = "amin", t = "transpose",
  T = "transpose", mm = "matmul",
  bmm = "matmul", dot = "matmul", concat = "cat", concatenate = "cat", vstack = "cat",
  fill = "full", fill_ = "full", copy_ = "copy", astype = "detach", dim = "size",
  ndim = "size",
  size = "shape", nelement = "numel", numpy = "totable", tolist = "totable",
  manual_seed = "seed", set_seed = "seed", random = "rand", normal = "randn",
  randperm = "randperm", iterator = "batches", load_data = "digits", power = "pow",
  reduce_mean = "mean", reduce_sum = "sum", clip = "clamp", take = "index_select",
  greater = "gt", less = "lt", equal = "eq", selu_ = "selu", dtype = "element",
  -- losses
  mse_loss = "mse", MSELoss = "mse", l1_loss = "l1", L1Loss = "l1", BCELoss = "bce",
  binary_cross_entropy = "bce", BCEWithLogitsLoss = "bce_with_logits",
  binary_cross_entropy_with_logits = "bce_with_logits",
  CrossEntropyLoss = "cross_entropy",
  NLLLoss = "nll", nll_loss = "nll", smooth_l1 = "huber", SmoothL1Loss = "huber",
  KLDivLoss = "kl_div", sigmoid_cross_entropy = "bce_with_logits",
  -- layers
  Dense = "Linear", Conv2D = "Conv2d", SpatialConvolution = "Conv2d",
  Conv2DTranspose = "ConvTranspose2d", SpatialFullConvolution = "ConvTranspose2d",
  BatchNormalization = "BatchNorm", BatchNorm1d = "BatchNorm", BatchNorm2d = "BatchNorm",
  SpatialBatchNormalization = "BatchNorm", LayerNormalization = "LayerNorm",
  InstanceNorm1d = "InstanceNorm", InstanceNorm2d = "InstanceNorm", View = "Reshape",
  Unflatten = "Reshape", UpSampling2D = "Upsample", SpatialUpSamplingNearest = "Upsample",
  MaxPooling2D = "MaxPool2d", SpatialMaxPooling = "MaxPool2d",
  AveragePooling2D = "AvgPool2d", GlobalAveragePooling2D = "AdaptiveAvgPool2d",
  SpatialDropout2D = "Dropout2d", SpatialDropout = "Dropout2d", LookupTable = "Embedding",
  ModuleList = "Repeat", LSTM = "LSTMCell", GRU = "GRUCell", Softmax2d = "Softmax",
  -- options
  units = "out", filters = "out", out_features = "out", out_channels = "out",
  num_embeddings = "count", embedding_dim = "out", kernel_size = "kernel",
  strides = "stride", activation = "act", use_bias = "bias", negative_slope = "slope",
  alpha = "slope", rate = "p", num_groups = "groups", num_classes = "classes",
  hidden_size = "hidden", scale_factor = "scale", upscale_factor = "factor",
  kernel_initializer = "init", learning_rate = "lr", learningRate = "lr",
  weightDecay = "weight_decay", batch_size = "batch", axis = "dim", keepdims = "keepdim",
  num_epochs = "epochs", epsilon = "eps",
  -- optimizers, methods
  Rprop = "RMSprop", sgd = "SGD", adam = "Adam", rmsprop = "RMSprop",
  state_dict = "state", load_state_dict = "load_state", training_ = "train",
  evaluate = "eval", requires_grad_ = "track", get_weights = "state",
  set_weights = "load_state", save_weights = "save", load_weights = "load",
  named_modules = "parts", modules = "parts", add_module = "Module",
}

local advice <const> = {
  backward = "gradients are not stored: opt:minimize(loss), or lg.grad(loss, net)",
  grad = "gradients are not stored: lg.grad(loss, x) returns them",
  zero_grad = "nothing is stored that could be zeroed: opt:minimize(loss)",
  requires_grad = "x:track() makes a leaf that gradients flow to",
  forward = "a net is called: G(x)", predict = "a net is called: G(x)",
  compile = "losses and optimizers are the script's: see docs/from-keras.md",
  fit = "the loop is the script's: see docs/from-keras.md",
  train_on_batch = "opt:minimize(loss) is a step: see docs/from-keras.md",
  trainable = "opt:minimize(loss) changes its own net alone; nothing is frozen",
  cuda = "there is one device, the processor",
  cpu = "there is one device, the processor",
  to = "there is one device, the processor, and one type of element",
  device = "there is one device, the processor",
  float = "all tensors have one type of element",
  dtype = "all tensors have one type of element",
  double = "all tensors have one type of element; the preset double makes it double",
  Identity = "leave it out, or write false", DataLoader = "set:batches(64) gives batches",
  param_groups = "opt.groups, or opt.lr of all of them",
  shuffle = "set:batches(64) shuffles each pass", map = "f in the loop does it",
  add = "a chain is written whole: nn.Sequential{ a, b }",
}

--- Of our words the one that a foreign word means, or nil.
function foreign.ours(word, known)
  local meant <const> = words[word]
  for _, ours in ipairs(known) do
    if ours == meant then return ours end
  end
end

--- Why a foreign word has no counterpart, or nil.
function foreign.advice(word) return advice[word] end

return foreign
