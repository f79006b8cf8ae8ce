"""From weights to something that runs: networks, checkpoints, export, backends, training."""
