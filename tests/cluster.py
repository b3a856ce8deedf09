"""A Ray cluster on this machine, which listens on 127.0.0.1 alone: python tests/cluster.py FOLDER

Each of its machines has one processor; there is one at first, whose address it prints. A line ``add [PATH]`` adds one,
with PATH before its modules; ``lose`` takes the last one away without a word, as a power cut does. It answers each with
a line, and ends when its input does.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main(folder: str) -> None:
    """Until the end of the input."""
    os.environ |= {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0", "RAY_TMPDIR": folder}
    from ray.cluster_utils import Cluster  # reads the environment

    Path(folder, "ray").mkdir()  # what is /tmp/ray otherwise: it writes there before it makes it
    machine = {"num_cpus": 1, "num_gpus": 0, "node_ip_address": "127.0.0.1", "object_store_memory": 100_000_000}
    cluster = Cluster(initialize_head=True, head_node_args=machine | {"include_dashboard": False})
    print(cluster.address, flush=True)
    added = []
    for line in sys.stdin:
        order, _, path = line.strip().partition(" ")
        if order == "add":
            paths = os.pathsep.join(filter(None, [path, os.environ.get("PYTHONPATH")]))
            added.append(cluster.add_node(**machine, env_vars={"PYTHONPATH": paths}))
        else:
            cluster.remove_node(added.pop(), allow_graceful=False)
        print(order, flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
