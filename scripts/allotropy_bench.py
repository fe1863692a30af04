"""Called by allotropy-bench.sh: FOLDER TIMER. Medians of both, and their ratio."""

import json
import logging
import pathlib
import statistics
import subprocess
import sys
import time
import warnings

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)

from allotropy.parser_factory import Vendor  # noqa: E402
from allotropy.to_allotrope import allotrope_from_file  # noqa: E402

# Our adapter, and the vendors of the package to try in this order.
VENDORS = {
    "agilent-biotek-gen5": ["AGILENT_GEN5"],
    "agilent-openlab-rdl": ["AGILENT_OPENLAB_CDS"],
    "beckman-vi-cell-blu": ["BECKMAN_VI_CELL_BLU"],
    "beckman-vi-cell-xr": ["BECKMAN_VI_CELL_XR"],
    "bio-rad-cfx": ["CFXMAESTRO"],
    "moldev-softmax-pro": ["MOLDEV_SOFTMAX_PRO"],
    "perkinelmer-envision": ["PERKIN_ELMER_ENVISION"],
    "qiagen-qiacuity": ["QIACUITY_DPCR"],
    "tecan-magellan": ["TECAN_MAGELLAN"],
    "thermo-chromeleon-json": ["BENCHLING_CHROMELEON"],
    "thermo-nanodrop": ["THERMO_FISHER_NANODROP_ONE", "THERMO_FISHER_NANODROP_EIGHT", "THERMO_FISHER_NANODROP_8000"],
    "thermo-skanit": ["THERMO_SKANIT"],
    "thermo-uvvis": ["THERMO_FISHER_VISIONLITE", "THERMO_FISHER_GENESYS_ON_BOARD"],
    "waters-empower-json": ["BENCHLING_EMPOWER"],
}
ANY = ["APPBIO_QUANTSTUDIO_DESIGNANDANALYSIS", "APPBIO_QUANTSTUDIO"]


def theirs(path, adapter):
    """Median milliseconds, or None where the package refuses the file."""
    for name in VENDORS.get(adapter, ANY if "quantstudio" in adapter else []):
        vendor = Vendor[name]
        try:
            allotrope_from_file(str(path), vendor)
        except BaseException:  # noqa: BLE001 - the package raises many kinds
            continue
        times = []
        started = time.perf_counter()
        while len(times) < 3 or (len(times) < 15 and time.perf_counter() - started < 3):
            before = time.perf_counter()
            allotrope_from_file(str(path), vendor)
            times.append(time.perf_counter() - before)
        return statistics.median(times) * 1000
    return None


def main():
    folder, timer = pathlib.Path(sys.argv[1]), sys.argv[2]
    files = sorted(p for p in folder.glob("*/*") if p.is_file())
    files = [p for p in files if not p.name.endswith((".md", ".truth.json", ".asm.json"))]
    print("| file | kB | adapter | observations | ms | peak MB | allotropy ms | ratio |")
    print("|---|---:|---|---:|---:|---:|---:|---:|")
    for path in files:
        # One call a file, so that the largest memory is this file's.
        out = subprocess.run([timer, str(path)], check=True, capture_output=True, text=True).stdout
        ours = json.loads(out)
        if "error" in ours:
            continue
        other = theirs(path, ours["adapter"])
        ratio = f"{other / ours['ms']:.0f}" if other else ""
        shown = f"{other:.1f}" if other else ""
        print(
            f"| {path.parent.name}/{path.name} | {path.stat().st_size / 1000:.1f} | {ours['adapter']} "
            f"| {ours['observations']} | {ours['ms']:.2f} | {(ours['peak_kb'] or 0) / 1000:.1f} | {shown} | {ratio} |",
            flush=True,
        )


main()
