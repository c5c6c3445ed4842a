//! The frame checksum: CRC-32C (Castagnoli), seeded with where the frame stands.
//!
//! Called by `memory/` to write and by `scan.rs` to check. The sum covers run id, segment number, epoch (the seed),
//! then offset and the head of the commit word (the place), then the padded payload. A stale frame of an earlier
//! epoch, or a block that landed elsewhere, therefore never validates.
//!
//! The crate `crc32c` is the reference and does large payloads. A small payload is copied and summed in one loop
//! here, because a call's record is a few words and the crate's set-up costs as much as the sum itself.

/// The part of the sum that is the same for every frame of a segment in one epoch.
pub(crate) fn seed(run_id: u64, number: u32, epoch: u32) -> u32 {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&run_id.to_le_bytes());
    bytes[8..12].copy_from_slice(&number.to_le_bytes());
    bytes[12..].copy_from_slice(&epoch.to_le_bytes());
    crc32c::crc32c(&bytes)
}

/// What a sum starts from before the payload: the seed and the word that says where the frame stands and what its
/// head is. [`Place`] is summed together with the payload, in one go.
#[inline]
pub(crate) fn place(seed: u32, offset: usize, head: u32) -> Place {
    Place { seed, word: ((offset as u64) << 32) | u64::from(head) }
}

/// See [`place`].
#[derive(Clone, Copy)]
pub(crate) struct Place {
    seed: u32,
    word: u64,
}

/// The sum over a place and a payload that is already padded to a multiple of 8.
pub(crate) fn append(place: Place, padded: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c_append(place.seed, &place.word.to_le_bytes()), padded)
}

/// Payloads up to here are copied and summed in one loop; beyond it the crate's three interleaved sums win
/// (`examples/append_cost.rs` prints both sides of the border).
#[cfg(not(loom))]
const FUSED_LIMIT_BYTES: usize = 1024;

/// Copies a payload to `to`, zero-padded to a multiple of 8, and gives the frame's sum.
///
/// # Safety
///
/// - `to` is 8-byte aligned and valid for writes of the padded length;
/// - nothing else reads or writes those bytes during the call;
/// - `payload` does not overlap them.
#[cfg(not(loom))]
#[inline]
pub(crate) unsafe fn copy(to: *mut u8, payload: &[u8], place: Place) -> u32 {
    #[cfg(target_arch = "x86_64")]
    if payload.len() <= FUSED_LIMIT_BYTES && std::arch::is_x86_feature_detected!("sse4.2") {
        // SAFETY: SSE 4.2 is there (checked); the rest is the caller's promise.
        return unsafe { fused::copy(to, payload, place) };
    }
    // SAFETY: the caller's promise, unchanged.
    unsafe { copy_then_sum(to, payload, place) }
}

/// The portable way, and the way for large payloads.
///
/// # Safety
///
/// As for [`copy`].
#[cfg(not(loom))]
unsafe fn copy_then_sum(to: *mut u8, payload: &[u8], place: Place) -> u32 {
    let padded = payload.len().next_multiple_of(8);
    // SAFETY: `to` is valid for `padded` bytes and does not overlap the payload (caller).
    let written = unsafe {
        std::ptr::copy_nonoverlapping(payload.as_ptr(), to, payload.len());
        std::ptr::write_bytes(to.add(payload.len()), 0, padded - payload.len());
        std::slice::from_raw_parts(to, padded)
    };
    append(place, written)
}

#[cfg(all(not(loom), target_arch = "x86_64"))]
mod fused {
    //! Copy and sum in one pass with the CRC instruction.

    use std::arch::x86_64::_mm_crc32_u64;

    use super::Place;

    /// # Safety
    ///
    /// As for [`super::copy`], and the processor has SSE 4.2.
    #[target_feature(enable = "sse4.2")]
    pub(super) unsafe fn copy(to: *mut u8, payload: &[u8], place: Place) -> u32 {
        let mut sum = _mm_crc32_u64(u64::from(!place.seed), place.word);
        let mut at = to.cast::<u64>();
        let (words, rest) = payload.as_chunks::<8>();
        for bytes in words {
            let word = u64::from_le_bytes(*bytes);
            sum = _mm_crc32_u64(sum, word);
            // SAFETY: `at` has moved by 8 for each whole word of the payload, all within the padded length.
            unsafe {
                at.write(word.to_le());
                at = at.add(1);
            }
        }
        if !rest.is_empty() {
            let word = tail(payload, rest);
            sum = _mm_crc32_u64(sum, word);
            // SAFETY: the last, padded word is within the padded length.
            unsafe { at.write(word.to_le()) };
        }
        !(sum as u32)
    }

    /// The last 1..=7 bytes as a zero-padded word. With a whole word before them they are the top of an
    /// overlapping read, which saves a byte loop.
    #[inline]
    fn tail(payload: &[u8], rest: &[u8]) -> u64 {
        if let Some(last) = payload.last_chunk::<8>() {
            return u64::from_le_bytes(*last) >> (8 * (8 - rest.len()));
        }
        let mut bytes = [0; 8];
        for (to, from) in bytes.iter_mut().zip(rest) {
            *to = *from;
        }
        u64::from_le_bytes(bytes)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn padded(payload: &[u8]) -> Vec<u8> {
        let mut bytes = payload.to_vec();
        bytes.resize(payload.len().next_multiple_of(8), 0);
        bytes
    }

    #[test]
    fn the_fused_copy_agrees_with_the_reference_for_every_small_length() {
        let source: Vec<u8> = (0..2000_u32).map(|n| (n * 31 % 251) as u8).collect();
        for length in 0..1100 {
            for start in [0, 1, 5] {
                let payload = &source[start..start + length];
                let mut to = vec![u64::MAX; length.div_ceil(8) + 1];
                let at = place(seed(7, 3, length as u32), 128, length as u32);
                // SAFETY: `to` is aligned, owned here and long enough.
                let sum = unsafe { copy(to.as_mut_ptr().cast(), payload, at) };
                assert_eq!(sum, append(at, &padded(payload)));
                let written: Vec<u8> = to.iter().flat_map(|word| word.to_ne_bytes()).collect();
                assert_eq!(written[..padded(payload).len()], padded(payload));
                assert_eq!(to.last(), Some(&u64::MAX), "nothing past the padding is touched");
            }
        }
    }

    #[test]
    fn the_sum_of_a_known_frame_is_frozen() {
        let at = place(seed(1, 2, 3), 128, 0x0300_0005);
        assert_eq!(append(at, b"hello\0\0\0"), FROZEN);
    }

    /// CRC-32C of the place and "hello" padded; a change here is a change of the format.
    const FROZEN: u32 = 798_718_800;

    #[test]
    fn another_run_segment_epoch_offset_or_head_gives_another_sum() {
        let sums = [
            append(place(seed(1, 2, 3), 128, 5), &[]),
            append(place(seed(9, 2, 3), 128, 5), &[]),
            append(place(seed(1, 9, 3), 128, 5), &[]),
            append(place(seed(1, 2, 9), 128, 5), &[]),
            append(place(seed(1, 2, 3), 136, 5), &[]),
            append(place(seed(1, 2, 3), 128, 6), &[]),
        ];
        for (n, sum) in sums.iter().enumerate() {
            assert!(!sums[..n].contains(sum));
        }
    }
}
