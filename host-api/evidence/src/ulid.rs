//! Names of 26 digits.

const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// `number` in 26 digits of Crockford's base 32, as a ULID is spelled: names sort as numbers do.
pub fn ulid(number: u128) -> String {
    let digit = |place: u32| {
        let value = usize::try_from((number >> (place * 5)) & 31).unwrap_or_default();
        DIGITS.get(value).copied().map_or('0', char::from)
    };
    (0..26).rev().map(digit).collect()
}
