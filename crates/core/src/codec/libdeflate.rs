//! A safe face for libdeflate's decompressor: the one place of the codecs that needs `unsafe`.

use std::alloc::{Layout, handle_alloc_error};
use std::ffi::c_void;
use std::ptr::NonNull;

use libdeflate_sys as sys;

/// The wrapping of a deflate stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrapping {
    /// One gzip member.
    Gzip,
    Zlib,
    Raw,
}

/// Why a stream was not inflated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Damaged, cut off, or with a wrong checksum.
    BadData,
    /// The output has too little spare capacity.
    NeedsSpace,
}

/// A reusable decompressor.
pub(super) struct Inflater {
    raw: NonNull<sys::libdeflate_decompressor>,
}

// SAFETY: the pointer is owned and not shared, and libdeflate keeps no state outside what it points to.
unsafe impl Send for Inflater {}

impl Inflater {
    pub(super) fn new() -> Self {
        // SAFETY: the function has no preconditions; a null result is handled.
        let raw = unsafe { sys::libdeflate_alloc_decompressor() };
        match NonNull::new(raw) {
            Some(raw) => Self { raw },
            // The size is libdeflate's secret; about 11 KiB.
            None => handle_alloc_error(Layout::new::<[u8; 11 << 10]>()),
        }
    }

    /// Inflates one stream from the start of `input` into the spare capacity of `out`, and returns how many bytes
    /// of `input` it had. `out` is as before if that fails.
    pub(super) fn inflate(
        &mut self,
        wrapping: Wrapping,
        input: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<usize, Refusal> {
        let call = match wrapping {
            Wrapping::Gzip => sys::libdeflate_gzip_decompress_ex,
            Wrapping::Zlib => sys::libdeflate_zlib_decompress_ex,
            Wrapping::Raw => sys::libdeflate_deflate_decompress_ex,
        };
        let spare = out.spare_capacity_mut();
        let spare_length = spare.len();
        let (mut taken, mut given) = (0, 0);
        // SAFETY: `raw` came from libdeflate and is freed only on drop; `&mut self` excludes concurrent use. The
        // input is readable for its length and the spare capacity writable for its length, the two do not overlap
        // as one is borrowed shared and the other mutably, and libdeflate reads nothing of what it has not
        // written itself. The results are written to live locals.
        let result = unsafe {
            call(
                self.raw.as_ptr(),
                input.as_ptr().cast::<c_void>(),
                input.len(),
                spare.as_mut_ptr().cast::<c_void>(),
                spare_length,
                &raw mut taken,
                &raw mut given,
            )
        };
        match result {
            sys::libdeflate_result_LIBDEFLATE_SUCCESS => {
                assert!(given <= spare_length && taken <= input.len(), "libdeflate stays within its buffers");
                let length = out.len() + given;
                // SAFETY: `length` is within the capacity, and libdeflate initialised the `given` bytes after the
                // old length.
                unsafe { out.set_len(length) };
                Ok(taken)
            }
            sys::libdeflate_result_LIBDEFLATE_INSUFFICIENT_SPACE => Err(Refusal::NeedsSpace),
            _ => Err(Refusal::BadData),
        }
    }
}

impl Drop for Inflater {
    fn drop(&mut self) {
        // SAFETY: `raw` came from libdeflate, is owned, and is not used after this.
        unsafe { sys::libdeflate_free_decompressor(self.raw.as_ptr()) };
    }
}
