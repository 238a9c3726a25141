--- steps.lua - the time of one whole step of a GAN, and the memory that it took.
--
--   lugano tests/bench/steps.lua WORKLOAD [--threads=N] [--seconds=S] [--least=N]
--   lugano tests/bench/steps.lua scaled --batch=64 --size=32 --channels=32
--
-- A step is an update of the critic on real and made samples, and one of the generator. A
-- workload is one of nets.lua; three steps warm up. It prints a line as peer.py does,
-- and, with --rows, one for each operator that the steps after those three called.

local lg <const> = require "lugano"
local optim <const>, gan <const> = lg.optim, lg.gan

local here <const> = arg[0]:match "^(.*/)" or "./"
package.path = here .. "?.lua;" .. package.path
local nets <const>, tools <const> = require "nets", require "tools"

local name <const> = table.remove(arg, 1)
local work = nets[name or ""]
if not work then
  local names <const> = {}
  for known in pairs(nets) do names[#names + 1] = known end
  table.sort(names)
  error("the first word names a workload: " .. table.concat(names, ", "), 0)
end
local options <const> = work.options or {}
options.seconds = { 10.0, "how long it is measured" }
options.least = { 5, "steps that are measured however long they take" }
options.rows = { false, "print what each operator took, too" }
local opt <const> = lg.options(options)
if work.scale then work = work.scale(opt) end

-- What each loss makes of the critic's results, and of the one for what was made anew.
local ones <const>, zeros <const> = lg.ones(work.batch, 1), lg.zeros(work.batch, 1)
local hinge <const>, wasserstein <const> = gan.loss "hinge", gan.loss "wasserstein"
local losses <const> = {
  bce = {
    critic = function(real, fake) return real:bce(ones) + fake:bce(zeros) end,
    generator = function(fake) return fake:bce(ones) end },
  logits = {
    critic = function(real, fake)
      return real:bce_with_logits(ones) + fake:bce_with_logits(zeros)
    end,
    generator = function(fake) return fake:bce_with_logits(ones) end },
  hinge = { critic = hinge.discriminator, generator = hinge.generator },
  ["wgan-gp"] = {
    critic = function(real, fake, D, x, made)
      return wasserstein.discriminator(real, fake) + 10 * gan.gradient_penalty(D, x, made)
    end,
    generator = wasserstein.generator },
}

local G <const>, D <const> = work.make()
local optG <const>, optD <const> = optim.Adam(G, work.adam), optim.Adam(D, work.adam)
local loss <const> = losses[work.loss]
local x <const> = lg.rand(work.batch, table.unpack(work.data)) * 2 - 1

local function step()
  local fake <const> = G(lg.randn(work.batch, table.unpack(work.noise)))
  local d <const> = optD:minimize(loss.critic(D(x), D(fake), D, x, fake))
  return d + optG:minimize(loss.generator(D(fake)))
end

for _ = 1, 3 do step() end
if opt.rows then tools.core.begin_profile() end
local times <const>, finish <const> = {}, tools.now() + opt.seconds
local cpu = os.clock()
while tools.now() < finish or #times < opt.least do
  local began <const> = tools.now()
  step()
  times[#times + 1] = (tools.now() - began) * 1e3
end
cpu = (os.clock() - cpu) * 1e3 / #times
local spent <const> = tools.now() - finish + opt.seconds
table.sort(times)

local median <const> = tools.quantile(times, 0.5)
print(("lugano-%s %-9s threads=%d median_ms=%.3f p10=%.3f p90=%.3f cpu_ms=%.3f "
       .. "img_s=%.0f rss_mib=%.0f steps=%d import_s=%.3f gflop=%.4g"):format(
  lg.version, name, tools.threads(), median, tools.quantile(times, 0.1),
  tools.quantile(times, 0.9), cpu, work.batch / median * 1e3, tools.most_memory() / 2^20,
  #times, tools.start, work.gflop))

if opt.rows then
  for _, r in ipairs(tools.core.profile()) do
    print(("row %s calls=%d seconds=%.6g flops=%.6g bytes=%.6g"):format(
      r.name, r.calls, r.seconds, r.flops, r.bytes))
  end
  print(("row in_all seconds=%.6g"):format(spent))
end
