"""torch: what it is and how large, never its contents. Only in `make test-heavy`."""

import torch

GRADIENT = torch.ones(2, 3, requires_grad=True)

VALUES = """
torch.zeros(2, 3)
torch.zeros(0)
torch.tensor(5)
torch.tensor([True, False])
torch.zeros((4, 4), dtype=torch.bfloat16)
torch.zeros((10, 10), dtype=torch.complex64)
torch.zeros((2, 2), device='meta')
torch.eye(3).to_sparse()
GRADIENT
GRADIENT * 2
torch.nn.Parameter(torch.zeros(3))
torch.nn.Linear(3, 2)
torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU())
torch.optim.SGD([GRADIENT], lr=0.1)
torch.float32
torch.device('cpu')
torch.Size([2, 3])
torch.utils.data.TensorDataset(torch.zeros(10, 2))
{'loss': torch.tensor(0.5), 'step': 3}
[torch.zeros(2), torch.zeros(3)]
torch
"""
