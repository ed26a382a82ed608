"""The main loop of a peer in Python; ../README.md has the protocol.

    import peer

    job = peer.start()  # Before NumPy and the like: threads are pinned and denormals flushed here.

    import numpy as np

    class Mine:
        def epoch(self, order): ...     # trains, returns mean loss and accuracy, None for what it does not tell
        def logits(self, pixels): ...   # uint8 [rows, inputs] -> float array [rows, classes]

    peer.serve(job, "mine", {"mine": mine.__version__}, Mine)
"""

import ctypes
import json
import os
import sys
import time

# Answers keep the real standard output for themselves; what libraries print goes to standard error.
_answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

PIXEL_SCALE = 1 / 255
EVALUATION_ROWS = 256


class Job:
    """What init asks for. The arrays are there once NumPy may be imported."""

    def __init__(self, request):
        self.batch_size = request["batch"]
        self.threads = request["threads"]
        self.seed = request["seed"]
        self.learning_rate = request["learning_rate"]
        self.widths = [int(width) for width in request["model"].split("-")]
        self._request = request

    def read(self):
        import numpy as np

        def idx(name, header):
            return np.fromfile(os.path.join(self._request["data"], name), np.uint8, offset=header)

        inputs = self.widths[0]
        self.train_pixels = idx("train-images-idx3-ubyte", 16).reshape(-1, inputs)
        self.train_labels = idx("train-labels-idx1-ubyte", 8)
        self.test_pixels = idx("t10k-images-idx3-ubyte", 16).reshape(-1, inputs)
        self.test_labels = idx("t10k-labels-idx1-ubyte", 8)
        self.order = np.fromfile(self._request["order"], np.uint32).reshape(-1, len(self.train_labels))
        flat = np.fromfile(self._request["weights"], np.float32)
        self.weights = []  # of each layer: W [inputs, outputs], b [outputs]
        at = 0
        for n, m in zip(self.widths, self.widths[1:]):
            w = flat[at : at + n * m].reshape(n, m)
            self.weights.append((w.copy(), flat[at + n * m : at + n * m + m].copy()))
            at += n * m + m

    def scaled_train_pixels(self):
        """Pixels as numbers in [0, 1], float32."""
        import numpy as np

        return self.train_pixels.astype(np.float32) * np.float32(PIXEL_SCALE)


def _answer(**members):
    _answers.write(json.dumps(members) + "\n")
    _answers.flush()


def _requests():
    for line in sys.stdin:
        request = json.loads(line)
        if request["op"] == "quit":
            return
        yield request


_lines = _requests()


def start():
    """Reads init. Returns the job with threads pinned and denormals flushed."""
    request = next(_lines, None)
    if request is None:
        sys.exit(0)
    if request["op"] != "init":
        _answer(ok=False, error="expected init first, found " + request["op"])
        sys.exit(1)
    for name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
        os.environ[name + "_NUM_THREADS"] = str(request["threads"])
    # setup_python puts it beside bin/.
    ctypes.CDLL(os.path.join(sys.prefix, "flush_denormals.so"))
    return Job(request)


def _rss_bytes():
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def _evaluate(job, trainer, has_logits):
    import numpy as np

    hits = 0
    loss = 0.0
    for at in range(0, len(job.test_labels), EVALUATION_ROWS):
        labels = job.test_labels[at : at + EVALUATION_ROWS]
        scores = np.asarray(trainer.logits(job.test_pixels[at : at + EVALUATION_ROWS]), np.float64)
        hits += int((scores.argmax(axis=1) == labels).sum())
        scores = scores - scores.max(axis=1, keepdims=True)
        loss += float((np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(len(labels)), labels]).sum())
    n = len(job.test_labels)
    _answer(ok=True, loss=loss / n if has_logits else None, accuracy=hits / n)


def _predict(job, trainer, rows, repetitions):
    times = []
    for i in range(repetitions):
        at = i * rows % (len(job.test_labels) - rows + 1)
        pixels = job.test_pixels[at : at + rows]
        begin = time.perf_counter()
        trainer.logits(pixels)
        times.append(time.perf_counter() - begin)
    _answer(ok=True, us=sorted(times)[len(times) // 2] * 1e6)


def serve(job, name, versions, make, uses=None, has_logits=True):
    """Answers requests until quit. make(job) is the trainer; uses: where the job is not the given one."""
    job.read()
    trainer = make(job)
    said = dict(order=True, weights=True, threads=job.threads, ftz=True)
    said.update(uses or {})
    _answer(ok=True, name=name, versions=versions, uses=said)
    epochs = 0
    for request in _lines:
        op = request["op"]
        if op == "epoch":
            if epochs == len(job.order):
                _answer(ok=False, error="order: expected more than %d epochs" % epochs)
                continue
            begin = time.perf_counter()
            result = trainer.epoch(job.order[epochs])
            ms = (time.perf_counter() - begin) * 1e3
            epochs += 1
            loss, accuracy = (None if x is None else float(x) for x in result)
            _answer(ok=True, ms=ms, loss=loss, accuracy=accuracy, rss_bytes=_rss_bytes())
        elif op == "evaluate":
            _evaluate(job, trainer, has_logits)
        elif op == "predict":
            _predict(job, trainer, request["rows"], request["repetitions"])
        else:
            _answer(ok=False, error="expected epoch, evaluate, predict or quit, found " + op)
