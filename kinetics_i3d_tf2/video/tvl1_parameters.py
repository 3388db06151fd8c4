"""Parameters of OpenCV's DualTVL1OpticalFlow, its defaults, for all engines."""

# Step of the dual variables, weight of the brightness difference, tightness.
TAU, LAMBDA, THETA = 0.25, 0.15, 0.3
# The scale step is 4 / 5.
SCALES, WARPS, OUTER_ITERATIONS, INNER_ITERATIONS = 5, 5, 10, 30
# Iterations stop when they change a pixel's flow by less on average, in pixels.
EPSILON = 0.01
# Scales with a shorter side are left out.
MIN_SIDE = 16
# A smaller squared gradient divides nothing: the step of float32 at 1.
MIN_GRADIENT = 2.0**-23
# Parameter of OpenCV's bicubic interpolation.
CUBIC = -0.75
