//! Lets the crate `getrandom`, and all that stands on it, take random octets from the contract's `random`. Build with
//! `--cfg getrandom_backend="custom"`.

use getrandom::Error;

use crate::bindings::wissel::connector::random;

/// The most that `random.bytes` gives in one call.
const MOST: usize = 65_536;

/// What `getrandom` 0.3 and later calls on a target that it does not know.
///
/// # Safety
/// `dest` must be valid for writes of `len` octets; `getrandom` guarantees that.
#[expect(unsafe_code, reason = "getrandom demands this signature")]
#[unsafe(no_mangle)]
unsafe extern "Rust" fn __getrandom_v03_custom(dest: *mut u8, len: usize) -> Result<(), Error> {
    // SAFETY: by the contract of this function; the octets are written before any is read, and `u8` has no invalid
    // value.
    let dest = unsafe {
        dest.write_bytes(0, len);
        std::slice::from_raw_parts_mut(dest, len)
    };
    for part in dest.chunks_mut(MOST) {
        let bytes = random::bytes(u32::try_from(part.len()).map_err(|_| Error::UNEXPECTED)?);
        if bytes.len() != part.len() {
            return Err(Error::UNEXPECTED);
        }
        part.copy_from_slice(&bytes);
    }
    Ok(())
}
