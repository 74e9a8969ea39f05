//! Work compiled for the vectors of current processors, and taken where the processor has them.
#![allow(unsafe_code)]

/// Does `work`, which is compiled for AVX2 too if all that it calls is inlined. The result is the same to the last bit: wider vectors
/// do the same arithmetic.
#[inline]
pub(crate) fn vectorised<T>(work: impl FnOnce() -> T) -> T {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        #[target_feature(enable = "avx2")]
        fn with_avx2<T>(work: impl FnOnce() -> T) -> T {
            work()
        }
        // SAFETY: the processor has AVX2.
        return unsafe { with_avx2(work) };
    }
    work()
}
