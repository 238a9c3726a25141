--- gan_path.lua - gan.path_length: steps in the latent space shall be steps in pictures.

local core <const> = ...
local lg <const> = core.lg
local check <const> = core.load "gan_check"
local gan <const> = {}

local PathLength <const> = { __name = "lugano.path_length" }
PathLength.__index = PathLength

local known <const> = { { "decay", 0.99, least = 0, below = 1 } }
local names <const> = { "mean", "steps" }

--- w with a history even where it is a plain leaf, and without cutting one that it has.
local function with_history(w) return w + lg.tensor(0):track() end

--- |J^T y| for each sample, where J is G's Jacobian by w, and y random pictures whose
-- variance makes the length independent of their size. Layers' latents {n,layers,dim}
-- count with their mean.
local function path_lengths(G, w, ...)
  w = with_history(w)
  local images <const> = G(w, ...)
  check.images("gan.path_length", images)
  local h <const>, wide <const> = images:size(3), images:size(4)
  local noise <const> = lg.randn(images.shape) / (h * wide) ^ 0.5
  local g <const> = lg.grad((images * noise):sum(), w, { create_graph = true })
  local layers <const> = w:numel() / (#w * w.shape[#w.shape])
  return g:reshape({ #w, -1 }):norm(2) / layers ^ 0.5                -- n
end

--- The penalty at latents w {n,dim} or {n,layers,dim}: a scalar. Moves the mean length.
---@param G any           a net or a function: w to images
---@param w lugano.Tensor
---@param ... any         what else G takes
---@return lugano.Tensor
function PathLength:penalty(G, w, ...)
  local who <const> = "gan.path_length"
  check.callable(who, "G", G)
  check.tensor(who, "w", w)
  if #w.shape < 2 or w:numel() == 0 then
    core.fail("%s: w must be {n,dim} or {n,layers,dim}, and is %s", who, check.shape(w))
  end
  if not core.recording() then
    core.fail("%s needs the history of G, and lg.no_grad keeps none", who)
  end
  local lengths <const> = path_lengths(G, w, ...)
  local now <const> = lengths:detach():mean():item()
  if now == now and now < math.huge then
    self.mean = self.mean + (now - self.mean) * (1 - self.options.decay)
  end
  self.steps = self.steps + 1
  return (lengths - self.mean):square():mean()
end

PathLength.__call = PathLength.penalty

--- Nothing but numbers is kept.
function PathLength:state() return {} end

--- What a checkpoint keeps, { mean =, steps = }; with such a table, sets it.
function PathLength:numbers(numbers)
  if numbers then check.set_numbers("gan.path_length", self, names, numbers) end
  return { mean = self.mean, steps = self.steps }
end

--- The path length regularization of StyleGAN2 (Karras et al. 2020): the mean of (|J^T y|
-- - a)^2, where J is the Jacobian of the images by w, y random pictures, and a the moving
-- average of the lengths, which begins at 0 and is a constant to gradients. An object to
-- be called, and to be given to lg.run. StyleGAN2's weight is 2, and 8 where it is added
-- every fourth update.
--
--     local path = gan.path_length()
--     optG:minimize(loss.generator(D(G(z))) + 2 * path(synthesis, mapping(z)))
--
-- Option: decay = 0.99, of the average.
---@param options table  decay
---@return lugano.PathLength
function gan.path_length(options)
  local path <const> = { options = check.options("gan.path_length", known, options),
                         mean = 0.0, steps = 0 }
  return core.load "unsaved".note(setmetatable(path, PathLength), "gan.path_length")
end

return gan
