"""PyTorch: nn.Sequential and Adam. Arguments: eager or compile, then bf16 for autocast."""

import sys

import peer

job = peer.start()

import torch
import torch.nn.functional as F

COMPILED = sys.argv[1] == "compile"
BF16 = sys.argv[2:] == ["bf16"]

torch.set_flush_denormal(True)
torch.set_num_threads(job.threads)
torch.manual_seed(job.seed)


class Torch:
    def __init__(self, job):
        self.batch_size = job.batch_size
        self.pixels = torch.from_numpy(job.scaled_train_pixels())
        self.labels = torch.from_numpy(job.train_labels).long()
        layers = []
        for w, b in job.weights:
            linear = torch.nn.Linear(*w.shape)
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(w.T))
                linear.bias.copy_(torch.from_numpy(b))
            layers += [linear, torch.nn.ReLU()]
        self.net = torch.nn.Sequential(*layers[:-1])
        # Both fastest forms: the fused kernel when eager, a rate that is a tensor for the compiler.
        if COMPILED:
            self.optimizer = torch.optim.Adam(self.net.parameters(), lr=torch.tensor(job.learning_rate))
        else:
            self.optimizer = torch.optim.Adam(self.net.parameters(), lr=job.learning_rate, fused=True)
        self.forward_loss = torch.compile(self._forward_loss, dynamic=False) if COMPILED else self._forward_loss
        self.update = torch.compile(self.optimizer.step) if COMPILED else self.optimizer.step
        self.infer = torch.compile(self._infer, dynamic=False) if COMPILED else self._infer

    def _net(self, x):
        if not BF16:
            return self.net(x)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return self.net(x).float()

    def _forward_loss(self, x, y):
        logits = self._net(x)
        hits = (logits.detach().argmax(dim=1) == y).sum()
        return F.cross_entropy(logits, y), hits

    def _infer(self, pixels):
        return self._net(pixels.float() * peer.PIXEL_SCALE)

    def epoch(self, order):
        order = torch.from_numpy(order.astype("int64"))
        loss_sum = torch.zeros(())
        hits_sum = torch.zeros((), dtype=torch.int64)
        for rows in order.split(self.batch_size):
            x, y = self.pixels[rows], self.labels[rows]
            self.optimizer.zero_grad(set_to_none=True)
            loss, hits = self.forward_loss(x, y)
            loss.backward()
            self.update()
            loss_sum += loss.detach() * len(rows)
            hits_sum += hits
        return loss_sum / len(order), hits_sum / len(order)

    def logits(self, pixels):
        with torch.inference_mode():
            return self.infer(torch.from_numpy(pixels)).numpy()


peer.serve(
    job,
    "torch",
    {"torch": torch.__version__},
    Torch,
    uses={"precision": "bf16 autocast" if BF16 else "fp32"},
)
