"""scikit-learn: MLPClassifier, an epoch a call of partial_fit. It shuffles and initialises by itself."""

import peer

job = peer.start()

import numpy as np
import sklearn
from sklearn.neural_network import MLPClassifier


class Sklearn:
    def __init__(self, job):
        self.pixels = job.scaled_train_pixels()
        self.labels = job.train_labels
        self.classes = np.arange(job.widths[-1])
        self.net = MLPClassifier(
            job.widths[1:-1],
            batch_size=min(job.batch_size, len(self.labels)),
            learning_rate_init=job.learning_rate,
            alpha=0.0,
            # A generator, not a number: that would shuffle every epoch alike.
            random_state=np.random.RandomState(job.seed % 2**32),
        )

    def epoch(self, order):
        self.net.partial_fit(self.pixels, self.labels, classes=self.classes)
        # It tells the loss of the epoch, not the accuracy.
        return self.net.loss_curve_[-1], None

    def logits(self, pixels):
        x = pixels * np.float32(peer.PIXEL_SCALE)
        # Log-probabilities are logits whose softmax has a sum of 1 already.
        return self.net.predict_log_proba(x)


peer.serve(job, "sklearn", {"scikit-learn": sklearn.__version__, "numpy": np.__version__}, Sklearn,
           uses={"order": False, "weights": False})
