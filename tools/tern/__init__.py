# SPDX-License-Identifier: MIT
"""The tooling behind ./tern: set-up, build, QEMU, tests. Standard library only, one module per idea."""
