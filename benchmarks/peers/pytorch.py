"""PyTorch on one workload: reads the problem that pytorch.ts wrote, then commands, as protocol.ts states them."""

import json
import os
import resource
import sys
import time

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
loading = time.perf_counter()

# Read when the libraries are loaded.
for name in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]:
    os.environ[name] = "1"

import torch
from torch.nn import functional

torch.set_num_threads(1)

# A sample is a batch of steps that takes about so many seconds, so that the clock's own cost does not count.
SAMPLE = 1e-3
# Elements that stand for a gradient, as in statistics.ts.
SAMPLES = 16


def read_problem(folder):
    """The problem, with tensors for the places that name parts of the binary file."""
    with open(f"{folder}/problem.bin", "rb") as file:
        binary = bytearray(file.read())
    dtypes = {"float32": torch.float32, "int32": torch.int32}

    def tensors(item):
        if "offset" not in item:
            return item
        dtype = dtypes[item["dtype"]]
        return torch.frombuffer(binary, dtype=dtype, count=item["length"], offset=item["offset"]).clone()

    with open(f"{folder}/problem.json") as file:
        return json.load(file, object_hook=tensors)


def training(parameters, loss, rule, rate):
    """One step after another of a loss without arguments."""
    rules = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}
    optimizer = rules[rule](parameters, lr=rate)

    def step():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        optimizer.step()
        return value.item()

    return step, None


def value_alone(f):
    def step():
        with torch.no_grad():
            return f().item()

    return step, None


def with_gradients(f, operands):
    """A value and its gradients by all operands."""
    for x in operands:
        x.requires_grad_()
    last = []

    def step():
        value = f(*operands)
        last[:] = torch.autograd.grad(value, operands)
        return value.item()

    return step, lambda: last


def tiny(p):
    operands = [p[name].reshape(2, 2) for name in "xyz"]
    return with_gradients(lambda x, y, z: (x * y + z).sum(), operands)


def mlp(p):
    sizes = p["sizes"]
    weights = [w.reshape(n, -1).requires_grad_() for w, n in zip(p["weights"], sizes[1:])]
    biases = [b.requires_grad_() for b in p["biases"]]
    x = p["inputs"].reshape(p["batch"], -1)
    classes = p["loss"] == "classes"
    targets = p["targets"].long() if classes else p["targets"].reshape(p["batch"], -1)
    activate = torch.tanh if p["activation"] == "tanh" else torch.relu

    def loss():
        h = x
        for i, (w, b) in enumerate(zip(weights, biases)):
            h = functional.linear(h if i == 0 else activate(h), w, b)
        return functional.cross_entropy(h, targets) if classes else functional.mse_loss(h, targets)

    if not p["train"]:
        return value_alone(loss)
    return training(weights + biases, loss, p["optimizer"], p["learningRate"])


def lenet(p):
    kernels = [k.reshape(n, -1, 5, 5).requires_grad_() for k, n in zip(p["kernels"], [6, 16])]
    kernel_biases = [b.requires_grad_() for b in p["kernelBiases"]]
    weights = [w.reshape(n, -1).requires_grad_() for w, n in zip(p["weights"], [120, 84, 10])]
    biases = [b.requires_grad_() for b in p["biases"]]
    images = p["images"].reshape(-1, 1, 28, 28)
    classes = p["classes"].long()

    def loss():
        h = images
        for k, b, padding in zip(kernels, kernel_biases, [2, 0]):
            h = functional.max_pool2d(torch.relu(functional.conv2d(h, k, b, padding=padding)), 2)
        h = h.flatten(1)
        for i, (w, b) in enumerate(zip(weights, biases)):
            h = functional.linear(h if i == 0 else torch.relu(h), w, b)
        return functional.cross_entropy(h, classes)

    return training(kernels + kernel_biases + weights + biases, loss, "adam", p["learningRate"])


def smooth(p):
    def f(x):
        return (torch.tanh(torch.sin(x) * x) + torch.exp(-x * x)).sum()

    return with_gradients(f, [p["x"]]) if p["gradient"] else value_alone(lambda: f(p["x"]))


def second(p):
    x = p["x"].requires_grad_()
    last = []

    def step():
        (first,) = torch.autograd.grad((x * torch.exp(x)).sum(), x, create_graph=True)
        last[:] = torch.autograd.grad(first.sum(), x)
        return last[0][0].item()

    return step, lambda: last


def product(p):
    n = p["n"]
    a, b = p["a"].reshape(n, n), p["b"].reshape(n, n)
    if p["gradient"]:
        return with_gradients(lambda a, b: torch.relu(a @ b).sum(), [a, b])
    last = []

    def step():
        last[:] = [a @ b]
        return last[0][-1, -1].item()

    return step, lambda: last


def scalar_graph(p):
    """The same network on float64 tensors: PyTorch has no cheap scalars."""
    weights = [torch.tensor(w, dtype=torch.float64).requires_grad_() for w in p["weights"]]
    biases = [torch.tensor(b, dtype=torch.float64).requires_grad_() for b in p["biases"]]
    x = torch.tensor(p["points"], dtype=torch.float64)
    labels = torch.tensor(p["labels"], dtype=torch.float64)

    def loss():
        h = x
        for i, (w, b) in enumerate(zip(weights, biases)):
            h = functional.linear(h if i == 0 else torch.relu(h), w, b)
        penalty = sum((w * w).sum() for w in weights)
        return torch.relu(1 - labels * h[:, 0]).mean() + p["penalty"] * penalty

    return training(weights + biases, loss, "sgd", p["learningRate"])


KINDS = {
    "tiny": tiny,
    "mlp": mlp,
    "lenet": lenet,
    "smooth": smooth,
    "second": second,
    "product": product,
    "scalarGraph": scalar_graph,
}


def digest(gradient):
    flat = gradient.detach().double().flatten()
    chosen = min(len(flat), SAMPLES)
    return [flat.norm().item()] + [flat[i * len(flat) // chosen].item() for i in range(chosen)]


class Worker:
    def __init__(self):
        self.step = None
        self.gradients = None
        self.batch = 1

    def start(self, _):
        begin = time.perf_counter()
        problem = read_problem(sys.argv[1])
        if problem["kind"] not in KINDS:
            return {"able": False, "load": 0, "prepare": 0}
        self.step, self.gradients = KINDS[problem["kind"]](problem)
        return {
            "able": True,
            "load": (begin - loading) * 1e3,
            "prepare": (time.perf_counter() - begin) * 1e3,
        }

    def check(self, command):
        values, times = [], []
        for _ in range(command["steps"]):
            begin = time.perf_counter()
            values.append(self.step())
            times.append((time.perf_counter() - begin) * 1e3)
        gradients = [digest(g) for g in self.gradients()] if self.gradients else []
        return {"values": values, "times": times, "gradients": gradients}

    def round(self, command):
        samples = []
        end = time.perf_counter() + command["milliseconds"] / 1e3
        while not samples or time.perf_counter() < end:
            begin = time.perf_counter()
            for _ in range(self.batch):
                self.step()
            spent = time.perf_counter() - begin
            samples.append(spent / self.batch * 1e3)
            if spent < SAMPLE / 2:
                self.batch *= 2
        return {"samples": samples}

    def memory(self, _):
        # Bytes on macOS, kilobytes elsewhere.
        unit = 1 if sys.platform == "darwin" else 1024
        return {"peak": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit}


worker = Worker()
for line in sys.stdin:
    command = json.loads(line)
    try:
        reply = getattr(worker, command["do"])(command)
    except Exception as error:  # the runner shows it in the row
        reply = {"error": str(error)}
    print(json.dumps(reply), flush=True)
