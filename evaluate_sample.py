r"""Classifies a clip with the released two-stream I3D.

The release's sample clip, downloaded if it is absent; without network a small
demonstration of this project's own:
  python evaluate_sample.py --eval_type=joint

Any video file; RGB and TV-L1 optical flow are computed:
  python evaluate_sample.py --video=clip.mp4

The same with models of your own, as i3d train writes them:
  python evaluate_sample.py --video=clip.mp4 --rgb_checkpoint=RUN/best \
    --flow_checkpoint=FLOW_RUN/best

The same as a page that shows where and when the network finds the classes:
  python evaluate_sample.py --video=clip.mp4 --report=clip.html

Prints the norm of the logits and the top classes, each with its probability and its
logit. Results go to standard output, messages to standard error. The exit status is 0,
or 2 with one line on standard error when an argument or a file is wrong.

`i3d classify` is the same without a checkout: it looks for checkpoints/ and data/ in
the current folder, where this program looks beside itself.
"""

import sys
from pathlib import Path

from kinetics_i3d_tf2.cli import classify, program


def main(argv: list[str]) -> None:
    """Classifies what the flags name."""
    classify.main(argv, root=Path(__file__).resolve().parent)


if __name__ == "__main__":
    program.run(main, module=classify, description=sys.modules[__name__].__doc__)
