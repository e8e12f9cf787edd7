"""The network of digits.py in PyTorch, from the same weights, step by step and timed.

    python docs/digits_torch.py
"""

import time

import numpy as np
import torch
from digits import Momentum, Network, accuracy, batches, digits, train_step

import corr


def torch_network(network):
    """The same layers with copies of the same weights."""
    model = torch.nn.Sequential(
        torch.nn.Conv2d(1, 16, 3, padding=1), torch.nn.MaxPool2d(2), torch.nn.ReLU(),
        torch.nn.Conv2d(16, 32, 3, padding=1), torch.nn.MaxPool2d(2), torch.nn.ReLU(),
        torch.nn.Flatten(), torch.nn.Linear(128, 10))
    with torch.no_grad():
        for theirs, ours in zip(model.parameters(), network.parameters(), strict=True):
            theirs.copy_(torch.from_numpy(ours.data.copy()))
    return model


def torch_step(model, optimizer, images, labels):
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


def both(epochs, threads=1):
    """Losses of both at every step, the seconds each took, and what each reads right."""
    learn, test = digits()
    network = Network()
    model = torch_network(network)
    ours = Momentum(network.parameters())
    theirs = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    data = list(batches(*learn, epochs))
    tensors = [(torch.from_numpy(x), torch.from_numpy(y)) for x, y in data]
    torch.set_num_threads(threads)
    losses, seconds = ([], []), [0.0, 0.0]
    with corr.num_threads(threads):
        # In turns of ten, so that both meet the same weather on the machine.
        for at in range(0, len(data), 10):
            start = time.perf_counter()
            losses[0].extend(train_step(network, ours, *pair) for pair in data[at : at + 10])
            middle = time.perf_counter()
            losses[1].extend(torch_step(model, theirs, *pair) for pair in tensors[at : at + 10])
            end = time.perf_counter()
            seconds[0] += middle - start
            seconds[1] += end - middle
    with torch.no_grad():
        theirs_right = accuracy(lambda x: model(torch.from_numpy(x)).numpy(), *test)
    return losses, seconds, (accuracy(network, *test), theirs_right)


if __name__ == "__main__":
    for threads in (1, 2):
        (ours, theirs), seconds, right = both(20, threads)
        apart = np.abs(np.subtract(ours, theirs))[:50].max()
        print(f"{threads} threads, {len(ours)} steps: losses apart by at most {apart:.1e} in the "
              f"first 50")
        for name, second, part in zip(("corr", "PyTorch"), seconds, right, strict=True):
            print(f"  {name:8} {second:.2f} s, {second / len(ours) * 1e6:.0f} us a step, "
                  f"{part:.1%} read right")
