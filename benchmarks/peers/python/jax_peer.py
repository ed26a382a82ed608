"""JAX. Argument: step jits one step, scan a whole epoch with the data on the device."""

import os
import sys

import peer

job = peer.start()
os.environ["JAX_PLATFORMS"] = "cpu"
# XLA's thread pool has as many threads as the process has CPUs.
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: job.threads])

import jax
import jax.numpy as jnp

SCAN = sys.argv[1] == "scan"
RATE = job.learning_rate


def logits_of(parameters, x):
    for w, b in parameters[:-1]:
        x = jax.nn.relu(x @ w + b)
    w, b = parameters[-1]
    return x @ w + b


def loss_of(parameters, x, y):
    logits = logits_of(parameters, x)
    loss = -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1).mean()
    return loss, (logits.argmax(1) == y).sum()


def step(data, state, rows):
    pixels, labels = data
    parameters, m, v, t = state
    (loss, hits), g = jax.value_and_grad(loss_of, has_aux=True)(parameters, pixels[rows], labels[rows])
    t = t + 1
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
    rate = RATE / (1 - 0.9**t)
    root_scale = 1 / jnp.sqrt(1 - 0.999**t)
    parameters = jax.tree.map(
        lambda w, m, v: w - rate * m / (jnp.sqrt(v) * root_scale + 1e-8), parameters, m, v
    )
    return (parameters, m, v, t), (loss * len(rows), hits)


def steps(data, state, batches):
    return jax.lax.scan(lambda state, rows: step(data, state, rows), state, batches)


class Jax:
    def __init__(self, job):
        self.batch_size = job.batch_size
        self.data = (jnp.asarray(job.scaled_train_pixels()), jnp.asarray(job.train_labels, jnp.int32))
        parameters = [(jnp.asarray(w), jnp.asarray(b)) for w, b in job.weights]
        zeros = jax.tree.map(jnp.zeros_like, parameters)
        self.state = (parameters, zeros, jax.tree.map(jnp.zeros_like, parameters), jnp.float32(0))
        self.step = jax.jit(step, donate_argnums=1)
        self.scan = jax.jit(steps, donate_argnums=1)
        self.infer = jax.jit(lambda parameters, x: logits_of(parameters, x.astype(jnp.float32) * peer.PIXEL_SCALE))

    def epoch(self, order):
        order = order.astype("int32")
        full = len(order) // self.batch_size * self.batch_size
        results = []
        if SCAN and full:
            batches = order[:full].reshape(-1, self.batch_size)
            self.state, (losses, hits) = self.scan(self.data, self.state, batches)
            results.append((losses.sum(), hits.sum()))
        for at in range(full if SCAN else 0, len(order), self.batch_size):
            self.state, result = self.step(self.data, self.state, order[at : at + self.batch_size])
            results.append(result)
        # The losses stay on the device until the epoch is over.
        losses, hits = zip(*jax.block_until_ready(results))
        jax.block_until_ready(self.state)
        return sum(map(float, losses)) / len(order), sum(map(int, hits)) / len(order)

    def logits(self, pixels):
        return jax.block_until_ready(self.infer(self.state[0], pixels))


peer.serve(job, "jax", {"jax": jax.__version__}, Jax)
