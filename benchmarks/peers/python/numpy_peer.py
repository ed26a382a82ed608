"""NumPy: products by its own OpenBLAS, everything else in place, in buffers that are made once."""

import peer

job = peer.start()

import numpy as np

RATE = job.learning_rate


class Numpy:
    def __init__(self, job):
        self.batch_size = job.batch_size
        self.widths = job.widths
        self.pixels = job.scaled_train_pixels()
        self.labels = job.train_labels.astype(np.intp)
        size = sum(w.size + b.size for w, b in job.weights)
        # One flat array each for parameters, gradient, moments and two temporaries; layers are views of them.
        self.w, self.g, self.m, self.v, self.t1, self.t2 = (np.zeros(size, np.float32) for _ in range(6))
        self.layers = []
        at = 0
        for w, b in job.weights:
            end = at + w.size
            views = [flat[at:end].reshape(w.shape) for flat in (self.w, self.g)]
            views += [flat[end : end + b.size] for flat in (self.w, self.g)]
            views[0][...] = w
            views[2][...] = b
            self.layers.append(views)
            at = end + b.size
        self.buffers = {}
        self.step_count = 0

    def _buffers(self, n):
        if n not in self.buffers:
            activations = [np.empty((n, width), np.float32) for width in self.widths]
            gradients = [np.empty((n, width), np.float32) for width in self.widths]
            self.buffers[n] = activations, gradients, np.arange(n)
        return self.buffers[n]

    def _step(self, rows):
        n = len(rows)
        a, d, rank = self._buffers(n)
        y = self.labels[rows]
        np.take(self.pixels, rows, axis=0, out=a[0])
        last = len(self.layers) - 1
        for l, (w, _, b, _) in enumerate(self.layers):
            np.dot(a[l], w, out=a[l + 1])
            a[l + 1] += b
            if l < last:
                np.maximum(a[l + 1], 0, out=a[l + 1])
        p = a[-1]
        hits = np.count_nonzero(p.argmax(axis=1) == y)
        p -= p.max(axis=1, keepdims=True)
        np.exp(p, out=p)
        p /= p.sum(axis=1, keepdims=True)
        loss = -np.log(p[rank, y]).sum()
        p[rank, y] -= 1
        p *= np.float32(1 / n)
        delta = p
        for l in range(last, -1, -1):
            w, gw, _, gb = self.layers[l]
            np.dot(a[l].T, delta, out=gw)
            delta.sum(axis=0, out=gb)
            if l > 0:
                np.dot(delta, w.T, out=d[l])
                d[l] *= a[l] > 0
                delta = d[l]
        self._adam()
        return loss, hits

    def _adam(self):
        w, g, m, v, t1, t2 = self.w, self.g, self.m, self.v, self.t1, self.t2
        self.step_count += 1
        np.multiply(g, np.float32(0.1), out=t1)
        m *= np.float32(0.9)
        m += t1
        np.multiply(g, g, out=t1)
        t1 *= np.float32(0.001)
        v *= np.float32(0.999)
        v += t1
        np.sqrt(v, out=t1)
        t1 *= np.float32(1 / np.sqrt(1 - 0.999**self.step_count))
        t1 += np.float32(1e-8)
        np.divide(m, t1, out=t2)
        t2 *= np.float32(RATE / (1 - 0.9**self.step_count))
        w -= t2

    def epoch(self, order):
        loss_sum, hits_sum = 0.0, 0
        for at in range(0, len(order), self.batch_size):
            loss, hits = self._step(order[at : at + self.batch_size])
            loss_sum += loss
            hits_sum += hits
        return loss_sum / len(order), hits_sum / len(order)

    def logits(self, pixels):
        x = pixels * np.float32(peer.PIXEL_SCALE)
        for w, _, b, _ in self.layers[:-1]:
            x = x @ w
            x += b
            np.maximum(x, 0, out=x)
        w, _, b, _ = self.layers[-1]
        return x @ w + b


peer.serve(job, "numpy", {"numpy": np.__version__}, Numpy)
