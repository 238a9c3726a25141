-- test_losses.lua - losses, normalization and activations: values that are known, and
-- every refusal.

local lg <const>, check <const> = require "lugano", require "check"

local tolerance <const> = 1e-5
local function same(t, expected, what)
  local got = t:reshape(-1):totable()
  check.equal(#got, #expected, what)
  for i, x in ipairs(expected) do check.close(got[i], x, tolerance, what) end
end
local function slope(f, x)
  local t <const> = x:track()
  return (lg.grad(f(t), t))
end

check.case("cross_entropy takes labels from 1, or probabilities", function()
  local x <const> = lg.tensor { { 1, 2, 3 }, { 1, 1, 1 } }
  local first <const> = math.log(1 + math.exp(-1) + math.exp(-2))
  local y = lg.cross_entropy(x, lg.tensor { 3, 1 }, { reduction = "none" })
  same(y, { first, math.log(3) }, "losses")
  same(lg.cross_entropy(x, lg.tensor { { 0, 0, 1 }, { 0.5, 0.5, 0 } }),
    { (first + math.log(3)) / 2 }, "of probabilities")
  same(lg.cross_entropy(x, lg.tensor { 3, 1 }, lg.tensor { 1, 1, 3 }),
    { (3 * first + math.log(3)) / 4 }, "the mean is weighted")
  same(lg.cross_entropy(lg.tensor { 1e4, -1e4 }, lg.tensor(2)), { 2e4 }, "extremes")
  same(lg.nll(x, lg.tensor { 3, 1 }, { reduction = "sum" }), { -4 }, "nll")
  same(slope(function(t) return lg.cross_entropy(t, lg.tensor(1)) end, lg.zeros(2)),
    { -0.5, 0.5 }, "slope")
end)

check.case("labels that are none", function()
  local x <const> = lg.ones(2, 3)
  for label, text in pairs { [4] = "4", [0] = "0", [1.5] = "1.5", [-1] = "-1" } do
    check.raises("cross_entropy: element 2 of target is " .. text .. ", and labels are "
      .. "whole numbers from 1 to 3, the classes (axis 2) of x {2,3}", function()
        lg.cross_entropy(x, lg.tensor { 1, label })
      end)
  end
  check.raises("nll: target is {2,3}, and must be {2}, a label for each item of x {2,3}",
    function() lg.nll(x, x) end)
  check.raises("cross_entropy: target is {3}, and must be {2}", function()
    lg.cross_entropy(x, lg.ones(3))
  end)
  check.raises("cross_entropy: weight must be {3}, a number for each class", function()
    lg.cross_entropy(x, lg.ones(2), lg.ones(2))
  end)
end)

check.case("bce, with logits and without", function()
  local x <const>, y <const> = lg.tensor { 0, 1, 0, 1 }, lg.tensor { 0, 0, 1, 1 }
  same(lg.bce(x, y, { reduction = "none" }), { 0, 100, 100, 0 }, "bounded")
  same(lg.bce(lg.tensor { 0.25 }, 1, 3), { 3 * math.log(4) }, "weight")
  local z <const> = lg.tensor { -2, 0.5, 3 }
  local plain <const> = lg.bce(z:sigmoid(), lg.tensor { 0, 1, 0.5 }):item()
  same(lg.bce_with_logits(z, lg.tensor { 0, 1, 0.5 }), { plain }, "the same")
  same(lg.bce_with_logits(z, lg.tensor { 0, 1, 0.5 }, 1, 1), { plain }, "weights of 1")
  same(lg.bce_with_logits(lg.tensor { 0, 0 }, lg.tensor { 0, 1 }, nil, 3),
    { 2 * math.log(2) }, "pos_weight")
  same(lg.bce_with_logits(lg.tensor { 1e4, -1e4 }, lg.tensor { 0, 1 }, 2, 1),
    { 2e4 }, "extremes")
  check.raises("bce: element 2 of x {2} is 1.5, and probabilities are from 0 to 1; apply "
    .. "sigmoid", function() lg.bce(lg.tensor { 0.5, 1.5 }, 1) end)
  check.raises("bce: x is {4} and weight is {3}; weight must have the shape of x",
    function() lg.bce(x, y, lg.ones(3)) end)
end)

check.case("hinge", function()
  local x <const> = lg.tensor { 2, 1, 0.5, -3 }:track()
  same(lg.hinge(x, 1, "none"), { 0, 0, 0.5, 4 }, "of what should be above")
  same(lg.hinge(x, -1, "none"), { 3, 2, 1.5, 0 }, "of what should be below")
  same(lg.hinge(x, lg.tensor { 1, -1, 1, -1 }, "sum"), { 2.5 }, "sum")
  same(lg.grad(lg.hinge(x, 1, "sum"), x), { 0, 0, -1, -1 }, "at its corner it is flat")
end)

check.case("huber and kl_div", function()
  local x <const> = lg.tensor { 0.5, 3, -3 }
  same(lg.huber(x, 0, { reduction = "none" }), { 0.125, 2.5, 2.5 }, "huber")
  same(lg.huber(x, 0, { reduction = "none", delta = 2 }), { 0.125, 4, 4 }, "delta")
  same(lg.huber(x, 0, "sum"), { 5.125 }, "sum")
  check.raises("huber: delta must be above 0, and is 0", function()
    lg.huber(x, 0, { delta = 0 })
  end)
  local p <const>, q <const> = lg.tensor { { 0.5, 0.5 } }, lg.tensor { { 0, 1 } }
  same(lg.kl_div(p:log(), q, "batchmean"), { math.log(2) }, "batchmean")
  same(lg.kl_div(p:log(), q), { math.log(2) / 2 }, "mean")
  check.raises("kl_div: reduction must be one of mean|sum|none|batchmean", function()
    lg.kl_div(p, q, "average")
  end)
end)

check.case("normalization of groups", function()
  local x <const> = lg.tensor { { { 1, 3 }, { 10, 30 } } }
  same(x:instance_norm { eps = 0 }, { -1, 1, -1, 1 }, "instance_norm")
  same(x:instance_norm(lg.tensor { 1, 2 }, lg.tensor { 0, 5 }, { eps = 0 }),
    { -1, 1, 3, 7 }, "with w and b")
  same(x:layer_norm { eps = 0 }, { -1, 1, -1, 1 }, "layer_norm")
  same(x:layer_norm { axes = 2 }, x:group_norm { groups = 1 }:reshape(-1):totable(),
    "one group")
  same(x:layer_norm(lg.ones(2, 2)), x:layer_norm { axes = 2 }:reshape(-1):totable(),
    "axes of w")
  same(lg.tensor { { 3, 4 } }:pixel_norm(), { 3 / math.sqrt(12.5), 4 / math.sqrt(12.5) },
    "pixel_norm")
  same((lg.randn(2, 6, 3) + 30):group_norm { groups = 2 }:mean(), { 0 }, "far")
  check.raises("group_norm: groups is 4, and must divide the 6 channels (axis 2) of x "
    .. "{2,6}", function() lg.ones(2, 6):group_norm { groups = 4 } end)
  check.raises("group_norm: groups must be given", function() x:group_norm() end)
  check.raises("layer_norm: it is over the last 4 axes, and x is {1,2,2}", function()
    x:layer_norm { axes = 4 }
  end)
  check.raises("layer_norm: w must be {2}, a number for each place of the last axes of x "
    .. "{1,2,2}, and is {3}", function() x:layer_norm(lg.ones(3)) end)
  check.raises("instance_norm: x must have the axes n, c and one or more for the places, "
    .. "and is {2,6}", function() lg.ones(2, 6):instance_norm() end)
  check.raises("pixel_norm: eps must be from 0 to inf, and is -1", function()
    x:pixel_norm(-1)
  end)
end)

check.case("activations at their corners and far out", function()
  local x <const> = lg.tensor { -1e4, -1, 0, 7, 1e4 }
  same(x:relu6(), { 0, 0, 0, 6, 6 }, "relu6")
  same(x:hardtanh(-2, 8), { -2, -1, 0, 7, 8 }, "hardtanh")
  same(x:prelu(lg.tensor { 0.5 }), { -5e3, -0.5, 0, 7, 1e4 }, "prelu")
  same(lg.ones(1, 2):neg():prelu(lg.tensor { 2, 3 }), { -2, -3 }, "prelu by channel")
  for _, name in ipairs { "gelu", "mish", "silu" } do
    local y <const> = lg[name](x):totable()
    check.equal(y[1], 0, name)
    check.close(y[5], 1e4, tolerance, name)
    same(slope(function(t) return lg[name](t):sum() end, lg.tensor { -1e4, 0, 1e4 }),
      { 0, name == "mish" and 0.6 or 0.5, 1 }, name)
  end
  same(x:gelu { approximate = "tanh" }, { 0, -0.15880800939, 0, 7, 1e4 }, "gelu by tanh")
  same(x:selu(), { -1.75809934, -1.11133074, 0, 7.35490691, 10507.00987356 }, "selu")
  same(x:softsign(), { -1e4 / 10001, -0.5, 0, 7 / 8, 1e4 / 10001 }, "softsign")
  same(lg.tensor { -1, 0, 0.5 }:erf(), { -0.84270079, 0, 0.52049988 }, "erf")
  check.raises("prelu: w is {3}, and must have one number, or one for each channel",
    function() lg.ones(2, 2):prelu(lg.ones(3)) end)
  check.raises("hardtanh: min must not be above max, and they are 2 and 1", function()
    x:hardtanh(2, 1)
  end)
end)

check.report()
