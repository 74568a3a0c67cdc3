//! How memory comes from the system: in small pages, and through the allocator of glibc where that is the one.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod glibc {
    #![allow(unsafe_code, reason = "there is no safe form of the call")]

    use std::ffi::c_int;

    /// Buffers of this size and more come from the system one by one and go back to it: they are few, and used again and
    /// again. Among small things that live long they would leave holes, over hours ever more of them.
    const LARGE: c_int = 64 << 10;

    pub(crate) fn set_up() {
        // SAFETY: a call without pointers, made while there is one thread.
        unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE) };
    }

    pub(crate) fn share_one_heap() {
        // SAFETY: as above.
        unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
mod glibc {
    pub(crate) fn set_up() {}
    pub(crate) fn share_one_heap() {}
}

/// Sets up what is good for all commands. To be called while there is one thread.
pub(crate) use glibc::set_up;
/// Lets all threads have the same heap, for commands that allocate seldom: what one gave back serves the others. To be called
/// while there is one thread.
pub(crate) use glibc::share_one_heap;

/// Takes memory from the system in small pages: a third less where buffers come and go, as fast as far as could be measured.
pub(crate) fn only_small_pages() {
    // Where the system cannot, memory is a little larger.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}
