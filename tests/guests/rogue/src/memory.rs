//! Values that no sound program makes, but that any component can hand over: its memory says what they are.

/// Text that is none, as a component in another language may return it.
pub(crate) fn not_utf8() -> String {
    // SAFETY: nothing here looks at it; the host is to refuse it.
    unsafe { String::from_utf8_unchecked(vec![b'a', 0xff, 0xfe, 0xc0]) }
}

/// Texts that are all the same `length` octets of memory.
pub(crate) fn shared(length: usize, times: usize) -> Vec<String> {
    let text: &'static mut [u8] = Vec::leak(vec![b'x'; length]);
    let start = text.as_mut_ptr();
    let text = || {
        // SAFETY: valid UTF-8 that lives for ever. That many own it is the misdeed: the host is to refuse the answer
        // before one of them is freed.
        unsafe { String::from_raw_parts(start, length, length) }
    };
    (0..times).map(|_| text()).collect()
}
