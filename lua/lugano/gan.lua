--- gan.lua - lg.gan: losses, penalties, augmentation, averages and latents of GANs.
--
-- A file is read when one of its functions is first used; pairs(lg.gan) reads all.

local core <const> = ...
local net <const>, sorted_keys <const> = core.load "net", core.load "keys"

local gan <const> = {}

-- Functions, and the file that each is in: for the stubs, too, as core.late is.
local late <const> = {
  ada = "gan_ada", class_grid = "gan_latent", clip_weights = "gan_clip",
  consistency = "gan_consistency", diffaugment = "gan_diffaugment",
  dragan = "gan_penalty", ema = "gan_ema", gradient_penalty = "gan_penalty",
  grid = "gan_latent", interpolate = "gan_latent", lecam = "gan_lecam",
  lerp = "gan_latent", loss = "gan_loss", path_length = "gan_path", pool = "gan_pool",
  r1 = "gan_penalty", r2 = "gan_penalty", slerp = "gan_latent", spread = "gan_spread",
  truncate = "gan_latent", truncated = "gan_latent",
}
core.gan_late = late

local function find(_, name)
  if not late[name] then
    core.fail("there is no gan.%s%s", tostring(name),
              net.hint(tostring(name), sorted_keys(late)))
  end
  gan[name] = core.load(late[name])[name]
  return rawget(gan, name)
end

local function each()
  for _, name in ipairs(sorted_keys(late)) do find(gan, name) end
  return next, gan, nil
end

return setmetatable(gan, { __index = find, __pairs = each })
