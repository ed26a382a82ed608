"""Numba: a whole epoch compiled; products by SciPy's OpenBLAS through np.dot, the rest in loops, in parallel where there is
enough to do."""

import peer

job = peer.start()

import numba
import numpy as np
from numba import njit, prange
import scipy

SCALE = np.float32(peer.PIXEL_SCALE)
CHUNKS = 4 * job.threads  # of Adam


@njit(parallel=True, fastmath=True)
def gather(pixels, rows, x):
    for i in prange(x.shape[0]):
        row = rows[i]
        for j in range(x.shape[1]):
            x[i, j] = np.float32(pixels[row, j]) * SCALE


@njit(fastmath=True)
def add_bias(y, b, relu):
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            z = y[i, j] + b[j]
            y[i, j] = max(z, np.float32(0)) if relu else z


@njit(fastmath=True)
def softmax_loss(z, labels, rows):
    """Loss and hits; the gradient of the mean loss takes z's place."""
    n, classes = z.shape
    scale = np.float32(1 / n)
    loss, hits = 0.0, 0
    for i in range(n):
        label = labels[rows[i]]
        hits += z[i].argmax() == label
        top = z[i].max()
        at_label = z[i, label] - top
        total = np.float32(0)
        for j in range(classes):
            z[i, j] = np.exp(z[i, j] - top)
            total += z[i, j]
        loss += np.log(total) - at_label
        for j in range(classes):
            z[i, j] *= scale / total
        z[i, label] -= scale
    return loss, hits


@njit(fastmath=True)
def sum_rows(d, sums):
    sums[:] = 0
    for i in range(d.shape[0]):
        for j in range(d.shape[1]):
            sums[j] += d[i, j]


@njit(fastmath=True)
def mask(d, a):
    for i in range(d.shape[0]):
        for j in range(d.shape[1]):
            if a[i, j] <= 0:
                d[i, j] = np.float32(0)


@njit(fastmath=True)
def adam_range(w, g, m, v, begin, end, rate, root_scale):
    for i in range(begin, end):
        m[i] = np.float32(0.9) * m[i] + np.float32(0.1) * g[i]
        v[i] = np.float32(0.999) * v[i] + np.float32(0.001) * g[i] * g[i]
        w[i] -= rate * m[i] / (np.sqrt(v[i]) * root_scale + np.float32(1e-8))


@njit(parallel=True, fastmath=True)
def adam(w, g, m, v, rate, root_scale):
    for c in prange(CHUNKS):
        adam_range(w, g, m, v, w.size * c // CHUNKS, w.size * (c + 1) // CHUNKS, rate, root_scale)


@njit(fastmath=True)
def epoch(pixels, labels, order, batch_size, widths, w, g, m, v, step, learning_rate):
    layers = len(widths) - 1
    loss_sum, hits_sum = 0.0, 0
    # Views of the flat arrays, and activations and gradients for each of the two batch sizes there are.
    weights = []
    weight_gradients = []
    biases = []
    bias_gradients = []
    at = 0
    for l in range(layers):
        end = at + widths[l] * widths[l + 1]
        shape = (widths[l], widths[l + 1])
        weights.append(w[at:end].reshape(shape))
        weight_gradients.append(g[at:end].reshape(shape))
        at = end + widths[l + 1]
        biases.append(w[end:at])
        bias_gradients.append(g[end:at])
    a = [np.empty((batch_size, width), np.float32) for width in widths]
    d = [np.empty((batch_size, width), np.float32) for width in widths]
    for begin in range(0, len(order), batch_size):
        rows = order[begin : begin + batch_size]
        n = len(rows)
        if n < a[0].shape[0]:
            a = [np.empty((n, width), np.float32) for width in widths]
            d = [np.empty((n, width), np.float32) for width in widths]
        gather(pixels, rows, a[0])
        for l in range(layers):
            np.dot(a[l], weights[l], a[l + 1])
            add_bias(a[l + 1], biases[l], l + 1 < layers)
        loss, hits = softmax_loss(a[layers], labels, rows)
        loss_sum += loss
        hits_sum += hits
        delta = a[layers]
        for l in range(layers - 1, -1, -1):
            np.dot(a[l].T, delta, weight_gradients[l])
            sum_rows(delta, bias_gradients[l])
            if l > 0:
                np.dot(delta, weights[l].T, d[l])
                mask(d[l], a[l])
                delta = d[l]
        step += 1
        adam(
            w,
            g,
            m,
            v,
            np.float32(learning_rate / (1 - 0.9**step)),
            np.float32(1 / np.sqrt(1 - 0.999**step)),
        )
    return loss_sum, hits_sum, step


@njit(fastmath=True)
def logits(pixels, widths, w):
    x = np.empty(pixels.shape, np.float32)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            x[i, j] = np.float32(pixels[i, j]) * SCALE
    at = 0
    for l in range(len(widths) - 1):
        end = at + widths[l] * widths[l + 1]
        x = np.dot(x, w[at:end].reshape((widths[l], widths[l + 1])))
        at = end + widths[l + 1]
        add_bias(x, w[end:at], l + 2 < len(widths))
    return x


class Numba:
    def __init__(self, job):
        self.job = job
        self.widths = tuple(job.widths)
        self.w = np.concatenate([part.ravel() for layer in job.weights for part in layer])
        self.g, self.m, self.v = (np.zeros_like(self.w) for _ in range(3))
        self.step = 0

    def epoch(self, order):
        job = self.job
        loss, hits, self.step = epoch(
            job.train_pixels,
            job.train_labels,
            order,
            job.batch_size,
            self.widths,
            self.w,
            self.g,
            self.m,
            self.v,
            self.step,
            job.learning_rate,
        )
        return loss / len(order), hits / len(order)

    def logits(self, pixels):
        return logits(pixels, self.widths, self.w)


peer.serve(job, "numba", {"numba": numba.__version__, "numpy": np.__version__, "scipy": scipy.__version__}, Numba)
