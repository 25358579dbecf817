"""What can go wrong in a rating, by name."""


class RatingError(ValueError):
    """The input cannot be rated as asked; the message says why."""


class NotConverged(RatingError):
    """An iteration stopped before its convergence criterion was met."""


class Singular(NotConverged):
    """An information matrix is singular to working precision."""


class NotEstimable(RatingError):
    """The votes do not identify the parameter that was asked for."""
