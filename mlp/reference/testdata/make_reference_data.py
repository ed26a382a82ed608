"""Writes pytorch.json and mpmath.json beside itself: what other people's software computes for the
same networks, optimizers and functions. The tests compare mlp/reference with these numbers.

Made with Python 3.11, torch 2.15.0 (on the CPU) and mpmath 1.3.0. To make them again:

  python3 -m venv venv && venv/bin/pip install torch==2.15.0 mpmath==1.3.0
  venv/bin/python mlp/reference/testdata/make_reference_data.py
"""

import json
import pathlib

import mpmath
import torch

WIDTHS = [5, 7, 4, 3]
BATCH = 6
STEPS = 4

# Between them: every activation, every optimizer, with and without weight decay and clipping.
# clip_norm 0 is no clipping.
TRAININGS = [
    {
        "activations": ["relu", "tanh", "identity"],
        "optimizer": "sgd",
        "options": {"learning_rate": 0.3, "weight_decay": 0},
        "clip_norm": 0,
    },
    {
        "activations": ["leaky_relu", "sigmoid", "identity"],
        "optimizer": "sgd",
        "options": {"learning_rate": 0.5, "weight_decay": 0.1},
        "clip_norm": 0.05,
    },
    {
        "activations": ["silu", "tanh", "identity"],
        "optimizer": "adam",
        "options": {
            "learning_rate": 0.01,
            "beta1": 0.9,
            "beta2": 0.999,
            "epsilon": 1e-8,
            "weight_decay": 0,
        },
        "clip_norm": 0,
    },
    {
        "activations": ["identity", "silu", "leaky_relu"],
        "optimizer": "adam",
        "options": {
            "learning_rate": 0.1,
            "beta1": 0.8,
            "beta2": 0.95,
            "epsilon": 0.01,
            "weight_decay": 0.1,
        },
        "clip_norm": 0.2,
    },
    {
        "activations": ["tanh", "relu", "identity"],
        "optimizer": "momentum",
        "options": {"learning_rate": 0.1, "momentum": 0.8, "weight_decay": 0.1},
        "clip_norm": 0,
    },
    {
        "activations": ["silu", "sigmoid", "identity"],
        "optimizer": "rmsprop",
        "options": {"learning_rate": 0.01, "rho": 0.8, "epsilon": 0.01, "weight_decay": 0.1},
        "clip_norm": 0.3,
    },
]

PYTORCH_ACTIVATIONS = {
    "identity": lambda x: x,
    "relu": torch.nn.functional.relu,
    "leaky_relu": lambda x: torch.nn.functional.leaky_relu(x, negative_slope=0.01),
    "sigmoid": torch.nn.functional.sigmoid,
    "tanh": torch.nn.functional.tanh,
    "silu": torch.nn.functional.silu,
}


def make_optimizer(kind, options, parameters):
    rate = options["learning_rate"]
    # PyTorch puts the decay of these into the gradient: train() decays, decoupled, instead.
    if kind == "momentum":
        return torch.optim.SGD(parameters, lr=rate, momentum=options["momentum"])
    if kind == "rmsprop":
        return torch.optim.RMSprop(
            parameters, lr=rate, alpha=options["rho"], eps=options["epsilon"]
        )
    if kind == "sgd":  # Without momentum PyTorch's decay is the decoupled one.
        return torch.optim.SGD(parameters, lr=rate, weight_decay=options["weight_decay"])
    return torch.optim.AdamW(
        parameters,
        lr=rate,
        betas=(options["beta1"], options["beta2"]),
        eps=options["epsilon"],
        weight_decay=options["weight_decay"],
    )


def flat(tensors):
    return torch.cat([t.detach().flatten() for t in tensors])


def train(case):
    """The case with its input, and what PyTorch makes of it."""
    x = torch.randn(BATCH, WIDTHS[0])
    labels = torch.randint(WIDTHS[-1], (BATCH,))
    parameters = []  # W [in, out] and b [out] of each layer
    for n_in, n_out in zip(WIDTHS, WIDTHS[1:]):
        parameters.append((torch.randn(n_in, n_out) / n_in**0.5).requires_grad_())
        parameters.append((0.1 * torch.randn(n_out)).requires_grad_())
    optimizer = make_optimizer(case["optimizer"], case["options"], parameters)

    def forward():
        h = x
        for layer, activation in enumerate(case["activations"]):
            w, b = parameters[2 * layer : 2 * layer + 2]
            h = PYTORCH_ACTIVATIONS[activation](torch.nn.functional.linear(h, w.t(), b))
        return h

    result = dict(
        case,
        widths=WIDTHS,
        x=x.flatten().tolist(),
        labels=labels.tolist(),
        parameters=flat(parameters).tolist(),
        logits=forward().flatten().tolist(),
        steps=[],
    )
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(forward(), labels)
        loss.backward()
        gradient = flat(p.grad for p in parameters)
        # Not clip_grad_norm_, which adds 1e-6 to the norm.
        norm = torch.linalg.vector_norm(gradient)
        if 0 < case["clip_norm"] < norm:
            for p in parameters:
                p.grad *= case["clip_norm"] / norm
        if case["optimizer"] in ("momentum", "rmsprop"):
            with torch.no_grad():
                for p in parameters:
                    p *= 1 - case["options"]["learning_rate"] * case["options"]["weight_decay"]
        optimizer.step()
        result["steps"].append(
            {
                "loss": loss.item(),
                "gradient": gradient.tolist(),
                "gradient_norm": norm.item(),
                "parameters_after": flat(parameters).tolist(),
            }
        )
    return result


def sigmoid(x):
    return 1 / (1 + mpmath.exp(-x))


# Value and derivative, to as many digits as mpmath is asked for.
MPMATH_ACTIVATIONS = {
    "identity": lambda x: (x, 1),
    "relu": lambda x: (x, 1) if x > 0 else (0, 0),
    "leaky_relu": lambda x: (x, 1) if x > 0 else (mpmath.mpf(0.01) * x, mpmath.mpf(0.01)),
    "sigmoid": lambda x: (sigmoid(x), mpmath.diff(sigmoid, x)),
    "tanh": lambda x: (mpmath.tanh(x), mpmath.diff(mpmath.tanh, x)),
    "silu": lambda x: (x * sigmoid(x), mpmath.diff(lambda t: t * sigmoid(t), x)),
    "elu": lambda x: (x, 1) if x > 0 else (mpmath.expm1(x), mpmath.exp(x)),
    "gelu": lambda x: (x * mpmath.ncdf(x), mpmath.ncdf(x) + x * mpmath.npdf(x)),
    "softplus": lambda x: (mpmath.log1p(mpmath.exp(x)), sigmoid(x)),
}
POINTS = [-1e4, -300, -40, -8.5, -1.25, -0.3, -1e-9, 0, 1e-9, 0.3, 1.25, 8.5, 40, 300, 1e4]

LOGITS = [
    [0.5, -1.25, 2],
    [0, 0, 0],
    [1e4, -1e4, 0],
    [-1e4, -1e4, -9999],
    [1e4, 1e4, 9999.5],
    [300, 260, -300],
    [1e300, -1e300, 1e-300],
]


def activation_table(function):
    rows = [[mpmath.mpf(v) for v in function(mpmath.mpf(x))] for x in POINTS]
    return {"values": [float(r[0]) for r in rows], "derivatives": [float(r[1]) for r in rows]}


def log_softmax(row):
    log_sum = mpmath.log(mpmath.fsum(mpmath.exp(mpmath.mpf(z)) for z in row))
    return [mpmath.mpf(z) - log_sum for z in row]


def write(name, value):
    path = pathlib.Path(__file__).with_name(name)
    path.write_text(json.dumps(value, separators=(",", ":")) + "\n")


def main():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(1)
    write("pytorch.json", [train(case) for case in TRAININGS])

    mpmath.mp.dps = 600  # The derivatives are differences of numbers that agree in 260 digits.
    log_p = [log_softmax(row) for row in LOGITS]
    write(
        "mpmath.json",
        {
            "points": POINTS,
            "activations": {name: activation_table(f) for name, f in MPMATH_ACTIVATIONS.items()},
            "logits": LOGITS,
            "log_softmax": [[float(v) for v in row] for row in log_p],
            "softmax": [[float(mpmath.exp(v)) for v in row] for row in log_p],
        },
    )


if __name__ == "__main__":
    main()
