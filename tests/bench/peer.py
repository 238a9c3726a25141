"""The nets of nets.lua in PyTorch, to compare with: prints what steps.lua prints.

    peer.py WORKLOAD [--threads=N] [--seconds=S] [--least=N]
    peer.py scaled --batch=64 --size=32 --channels=32
    peer.py small [--threads=N]      microseconds for one operator on one element
    peer.py version                  and seconds until PyTorch is there
"""
import argparse
import resource
import time

began = time.perf_counter()
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm
loading = time.perf_counter() - began


def leaky(slope=0.2):
    return nn.LeakyReLU(slope, inplace=True)


def relu():
    return nn.ReLU(inplace=True)


def down(c, to, kernel, stride, padding, bias=True):
    return nn.Conv2d(c, to, kernel, stride, padding, bias=bias)


def up(c, to, kernel, stride, padding, more=0, bias=True):
    return nn.ConvTranspose2d(c, to, kernel, stride, padding, more, bias=bias)


def chain(*parts):
    """Layers one after the other; lists of them nest."""
    flat = []
    for part in parts:
        flat.extend(part if isinstance(part, list) else [part])
    return nn.Sequential(*flat)


def tiny_ring():
    def net(out):
        return chain(nn.Linear(2, 128), relu(), nn.Linear(128, 128), relu(),
                     nn.Linear(128, out))
    return dict(nets=(net(2), net(1)), batch=256, noise=(2,), data=(2,), loss="logits",
                adam=dict(lr=1e-3))


def mlp_seed():
    def net(size, out, act):
        return chain(nn.Linear(size, 128), relu(), nn.BatchNorm1d(128),
                     nn.Linear(128, out), act)
    return dict(nets=(net(100, 784, nn.Tanh()), net(784, 1, nn.Sigmoid())), batch=100,
                noise=(100,), data=(784,), loss="bce", adam=dict(lr=1e-3))


def mlp_big():
    def block(size, out):
        return [nn.Linear(size, out), nn.BatchNorm1d(out, 0.8), leaky()]
    G = chain(nn.Linear(100, 128), leaky(), block(128, 256), block(256, 512),
              block(512, 1024), nn.Linear(1024, 784), nn.Tanh())
    D = chain(nn.Linear(784, 512), leaky(), nn.Linear(512, 256), leaky(),
              nn.Linear(256, 1), nn.Sigmoid())
    return dict(nets=(G, D), batch=64, noise=(100,), data=(784,), loss="bce",
                adam=dict(lr=2e-4, betas=(0.5, 0.999)))


def dcgan28():
    G = chain(nn.Linear(100, 7 * 7 * 256, bias=False), nn.BatchNorm1d(7 * 7 * 256),
              leaky(0.3), nn.Unflatten(1, (256, 7, 7)),
              up(256, 128, 5, 1, 2, bias=False), nn.BatchNorm2d(128), leaky(0.3),
              up(128, 64, 5, 2, 2, 1, bias=False), nn.BatchNorm2d(64), leaky(0.3),
              up(64, 1, 5, 2, 2, 1, bias=False), nn.Tanh())
    D = chain(down(1, 64, 5, 2, 2), leaky(0.3), nn.Dropout(0.3),
              down(64, 128, 5, 2, 2), leaky(0.3), nn.Dropout(0.3),
              nn.Flatten(), nn.Linear(7 * 7 * 128, 1))
    return dict(nets=(G, D), batch=256, noise=(100,), data=(1, 28, 28), loss="logits",
                adam=dict(lr=1e-4))


def dcgan(size, c, act):
    """Generator and critic, with c channels in the widest layers."""
    def wide(c, to, stride=2, padding=1):
        return [up(c, to, 4, stride, padding, bias=False), nn.BatchNorm2d(to), relu()]

    def narrow(c, to):
        return [down(c, to, 4, 2, 1, bias=False), nn.BatchNorm2d(to), leaky()]
    widths = [c]
    while 8 * widths[-1] < c * size:
        widths.append(2 * widths[-1])
    pairs = list(zip(widths, widths[1:]))
    G = chain(wide(100, widths[-1], 1, 0), *[wide(b, a) for a, b in reversed(pairs)],
              up(c, 3, 4, 2, 1, bias=False), nn.Tanh())
    D = chain(down(3, c, 4, 2, 1, bias=False), leaky(), *[narrow(a, b) for a, b in pairs],
              down(widths[-1], 1, 4, 1, 0, bias=False), nn.Flatten(), *act)
    return G, D


def dcgan64():
    return dict(nets=dcgan(64, 64, [nn.Sigmoid()]), batch=64, noise=(100, 1, 1),
                data=(3, 64, 64), loss="bce", adam=dict(lr=2e-4, betas=(0.5, 0.999)))


def scaled(batch, size, channels):
    return dict(nets=dcgan(size, channels, []), batch=batch, noise=(100, 1, 1),
                data=(3, size, size), loss="logits",
                adam=dict(lr=2e-4, betas=(0.5, 0.999)))


def wgangp28():
    G = chain(nn.Linear(128, 4 * 4 * 256), relu(), nn.Unflatten(1, (256, 4, 4)),
              up(256, 128, 5, 2, 2), relu(), up(128, 64, 5, 2, 2, 1), relu(),
              up(64, 1, 5, 2, 2, 1), nn.Tanh())
    D = chain(down(1, 64, 5, 2, 2), nn.LeakyReLU(0.2), down(64, 128, 5, 2, 2),
              nn.LeakyReLU(0.2), down(128, 256, 5, 2, 2), nn.LeakyReLU(0.2),
              nn.Flatten(), nn.Linear(4 * 4 * 256, 1))
    return dict(nets=(G, D), batch=64, noise=(128,), data=(1, 28, 28), loss="wgan-gp",
                adam=dict(lr=1e-4, betas=(0.5, 0.9)))


class CriticBlock(nn.Module):
    def __init__(self, c, to, halves):
        super().__init__()
        self.conv1 = spectral_norm(down(c, to, 3, 1, 1))
        self.conv2 = spectral_norm(down(to, to, 3, 1, 1))
        self.skip = spectral_norm(down(c, to, 1, 1, 0))
        self.halves = halves

    def forward(self, x):
        y = self.conv2(F.relu(self.conv1(F.relu(x)))) + self.skip(x)
        return F.avg_pool2d(y, 2) if self.halves else y


class GeneratorBlock(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.norm1, self.norm2 = nn.BatchNorm2d(c), nn.BatchNorm2d(c)
        self.conv1, self.conv2 = down(c, c, 3, 1, 1), down(c, c, 3, 1, 1)
        self.skip = down(c, c, 1, 1, 0)

    def forward(self, x):
        h = self.conv1(F.interpolate(F.relu(self.norm1(x)), scale_factor=2))
        return (self.conv2(F.relu(self.norm2(h)))
                + self.skip(F.interpolate(x, scale_factor=2)))


class Score(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.linear = spectral_norm(nn.Linear(c, 1))

    def forward(self, x):
        return self.linear(F.relu(x).sum((2, 3)))


def sngan32(c=64):
    G = chain(nn.Linear(128, 4 * 4 * c), nn.Unflatten(1, (c, 4, 4)), GeneratorBlock(c),
              GeneratorBlock(c), GeneratorBlock(c), nn.BatchNorm2d(c), nn.ReLU(),
              down(c, 3, 3, 1, 1), nn.Tanh())
    D = chain(CriticBlock(3, c, True), CriticBlock(c, c, True),
              CriticBlock(c, c, False), Score(c))
    return dict(nets=(G, D), batch=64, noise=(128,), data=(3, 32, 32), loss="hinge",
                adam=dict(lr=2e-4, betas=(0.0, 0.9)))


NETS = {f.__name__: f for f in (tiny_ring, mlp_seed, mlp_big, dcgan28, dcgan64, wgangp28,
                                sngan32)}


def penalty(D, real, fake):
    part = torch.rand(len(real), *[1] * (real.dim() - 1))
    x = (part * real + (1 - part) * fake).requires_grad_(True)
    slope, = torch.autograd.grad(D(x).sum(), x, create_graph=True)
    return ((slope.flatten(1).norm(2, 1) - 1) ** 2).mean()


def critic_loss(loss, D, real, fake, ones, zeros):
    r, f = D(real), D(fake)
    if loss == "hinge":
        return F.relu(1 - r).mean() + F.relu(1 + f).mean()
    if loss == "wgan-gp":
        return f.mean() - r.mean() + 10 * penalty(D, real, fake)
    entropy = (F.binary_cross_entropy if loss == "bce"
               else F.binary_cross_entropy_with_logits)
    return entropy(r, ones) + entropy(f, zeros)


def generator_loss(loss, f, ones):
    if loss == "bce":
        return F.binary_cross_entropy(f, ones)
    if loss == "logits":
        return F.binary_cross_entropy_with_logits(f, ones)
    return -f.mean()


def make_step(work):
    G, D = work["nets"]
    n, loss = work["batch"], work["loss"]
    opt_G = torch.optim.Adam(G.parameters(), **work["adam"])
    opt_D = torch.optim.Adam(D.parameters(), **work["adam"])
    real = torch.rand(n, *work["data"]) * 2 - 1
    ones, zeros = torch.ones(n, 1), torch.zeros(n, 1)

    def step():
        fake = G(torch.randn(n, *work["noise"]))
        opt_D.zero_grad(set_to_none=True)
        d = critic_loss(loss, D, real, fake.detach(), ones, zeros)
        d.backward()
        opt_D.step()
        opt_G.zero_grad(set_to_none=True)
        g = generator_loss(loss, D(fake), ones)
        g.backward()
        opt_G.step()
        return d.item() + g.item()
    return step


def measure(name, options):
    work = (scaled(options.batch, options.size, options.channels) if name == "scaled"
            else NETS[name]())
    step = make_step(work)
    for _ in range(3):
        step()
    times, end = [], time.perf_counter() + options.seconds
    cpu = time.process_time()
    while time.perf_counter() < end or len(times) < options.least:
        start = time.perf_counter()
        step()
        times.append((time.perf_counter() - start) * 1e3)
    cpu = (time.process_time() - cpu) / len(times) * 1e3
    times.sort()
    p10, median, p90 = (times[int(q * (len(times) - 1))] for q in (0.1, 0.5, 0.9))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"torch-{torch.__version__} {name:9s} threads={options.threads} "
          f"median_ms={median:.3f} p10={p10:.3f} p90={p90:.3f} "
          f"cpu_ms={cpu:.3f} img_s={work['batch'] / median * 1e3:.0f} "
          f"rss_mib={memory:.0f} steps={len(times)} import_s={loading:.3f}")


def measure_small():
    x = torch.ones(1, requires_grad=True)
    times = []
    for _ in range(9):
        start = time.perf_counter()
        for _ in range(5000):
            torch.autograd.grad(torch.tanh(x), x)
        times.append((time.perf_counter() - start) / 5000)
    print(f"small us={sorted(times)[4] * 1e6:.3f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=[*NETS, "scaled", "small", "version"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--least", type=int, default=5)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--channels", type=int, default=32)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    if options.what == "version":
        print(f"torch-{torch.__version__} import_s={loading:.3f}")
    elif options.what == "small":
        measure_small()
    else:
        measure(options.what, options)


main()
