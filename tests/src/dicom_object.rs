//! DICOM objects without pixels, put together by the byte: explicit value representations, little endian.

/// A tag: group and element.
pub type Tag = (u16, u16);

const EXPLICIT_LITTLE: &str = "1.2.840.10008.1.2.1";

/// A file: preamble, meta information, data set.
///
/// # Panics
///
/// Of an element that is longer than its length can say.
#[must_use]
pub fn object(sop_class: &str, elements: &[Vec<u8>]) -> Vec<u8> {
    let meta = [
        element((2, 1), b"OB", &[0, 1]),
        element((2, 2), b"UI", &padded(sop_class, 0)),
        element((2, 3), b"UI", &padded("1.2.3.4", 0)),
        element((2, 0x10), b"UI", &padded(EXPLICIT_LITTLE, 0)),
        element((2, 0x12), b"UI", &padded("1.2.3", 0)),
    ]
    .concat();
    let length = u32::try_from(meta.len()).expect("a short head").to_le_bytes();
    let head = [vec![0; 128], b"DICM".to_vec(), element((2, 0), b"UL", &length), meta].concat();
    [head, elements.concat()].concat()
}

/// An element of text.
#[must_use]
pub fn text(tag: Tag, form: &[u8; 2], value: &str) -> Vec<u8> {
    element(tag, form, &padded(value, if form == b"UI" { 0 } else { b' ' }))
}

/// A sequence of items.
///
/// # Panics
///
/// Of an item of 4 GiB.
#[must_use]
pub fn sequence(tag: Tag, items: &[Vec<u8>]) -> Vec<u8> {
    let item = |item: &Vec<u8>| {
        let length = u32::try_from(item.len()).expect("a short item");
        [&[0xfe, 0xff, 0x00, 0xe0][..], &length.to_le_bytes(), item.as_slice()].concat()
    };
    element(tag, b"SQ", &items.iter().flat_map(item).collect::<Vec<u8>>())
}

/// An element.
///
/// # Panics
///
/// Of a value that is longer than its length can say.
#[must_use]
pub fn element((group, number): Tag, form: &[u8; 2], value: &[u8]) -> Vec<u8> {
    let mut bytes = [group.to_le_bytes(), number.to_le_bytes()].concat();
    bytes.extend(form);
    if [b"OB", b"SQ"].contains(&form) {
        bytes.extend([0, 0]);
        bytes.extend(u32::try_from(value.len()).expect("a short value").to_le_bytes());
    } else {
        bytes.extend(u16::try_from(value.len()).expect("a short value").to_le_bytes());
    }
    bytes.extend(value);
    bytes
}

/// To an even number of bytes.
fn padded(text: &str, with: u8) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(bytes.len().next_multiple_of(2), with);
    bytes
}
