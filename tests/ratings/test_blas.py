"""One thread for linear algebra, where digits are compared."""

from threadpoolctl import threadpool_limits

from leaderboard.ratings import one_blas_thread, processor
from leaderboard.ratings.compute.blas import libraries


def threads() -> set[object]:
    return {library["num_threads"] for library in libraries()}


def test_blas_has_one_thread_inside_and_its_own_again_after() -> None:
    with threadpool_limits(2, user_api="blas"):
        assert threads() == {2}
        with one_blas_thread():
            with one_blas_thread():
                assert threads() == {1}
            assert threads() == {1}
        assert threads() == {2}


def test_the_processor_is_named_by_what_digits_depend_on() -> None:
    kernels = {str(library["architecture"]) for library in libraries()}
    assert kernels
    assert all(kernel in processor() for kernel in kernels)
