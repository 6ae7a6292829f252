use super::*;
use image::{ImageFormat, Rgb, Rgba, RgbaImage};
use std::io::Cursor;

const PIXELS: u64 = 20_000_000;

/// Red on the left, blue on the right.
fn halves(width: u32, height: u32) -> DynamicImage {
    let of = |x, _| if x < width / 2 { Rgb([220, 20, 20]) } else { Rgb([20, 20, 220]) };
    RgbImage::from_fn(width, height, of).into()
}

fn written(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    image.write_to(&mut out, format).unwrap();
    out.into_inner()
}

fn sizes(made: &[Made]) -> Vec<(u32, u32, u32)> {
    let jpegs = made.iter().filter(|m| m.format == RenditionFormat::Jpeg);
    jpegs.map(|m| (m.size, m.width, m.height)).collect()
}

fn read(made: &[Made], size: u32, format: RenditionFormat) -> RgbaImage {
    let made = made.iter().find(|m| m.size == size && m.format == format).unwrap();
    image::load_from_memory(&made.bytes).unwrap().to_rgba8()
}

fn is_near(found: [u8; 4], wanted: [u8; 4]) -> bool {
    found.iter().zip(wanted).all(|(found, wanted)| found.abs_diff(wanted) <= 12)
}

#[test]
fn every_kind_of_picture_is_read() {
    for format in
        [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP, ImageFormat::Tiff, ImageFormat::Bmp]
    {
        let made = harmonise(&written(&halves(800, 400), format), PIXELS).unwrap();
        assert_eq!(sizes(&made), [(1200, 800, 400), (400, 400, 200), (150, 150, 75)], "{format:?}");
        let small = read(&made, 150, RenditionFormat::Webp);
        assert!(is_near(small.get_pixel(20, 37).0, [220, 20, 20, 255]), "{format:?}: {:?}", small.get_pixel(20, 37));
    }
}

#[test]
fn none_is_enlarged_and_none_made_twice() {
    let of = |width, height| sizes(&harmonise(&written(&halves(width, height), ImageFormat::Png), PIXELS).unwrap());
    assert_eq!(of(3000, 1500), [(2400, 2400, 1200), (1200, 1200, 600), (400, 400, 200), (150, 150, 75)]);
    assert_eq!(of(400, 400), [(400, 400, 400), (150, 150, 150)]);
    assert_eq!(of(100, 20), [(150, 100, 20)]);
    assert_eq!(of(2, 1), [(150, 2, 1)]);
    // However narrow, there is something to be seen.
    assert_eq!(of(2000, 1).last(), Some(&(150, 150, 1)));
}

/// A JPEG with metadata that ask for a turn.
fn turned(jpeg: &[u8], turn: u8) -> Vec<u8> {
    let tiff = [b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".as_slice(), &[turn], b"\0\0\0\0\0\0"].concat();
    let length = u16::try_from(2 + 6 + tiff.len()).unwrap().to_be_bytes();
    [&jpeg[..2], b"\xff\xe1", &length, b"Exif\0\0", &tiff, &jpeg[2..]].concat()
}

#[test]
fn the_turn_of_the_metadata_is_done_and_the_metadata_are_gone() {
    let jpeg = written(&halves(400, 200), ImageFormat::Jpeg);
    // Turned clockwise: what was on the left is above.
    let made = harmonise(&turned(&jpeg, 6), PIXELS).unwrap();
    assert_eq!(sizes(&made)[0], (400, 200, 400));
    let upright = read(&made, 400, RenditionFormat::Jpeg);
    assert!(is_near(upright.get_pixel(100, 40).0, [220, 20, 20, 255]));
    assert!(is_near(upright.get_pixel(100, 360).0, [20, 20, 220, 255]));
    assert!(made.iter().all(|m| !m.bytes.windows(4).any(|w| w == b"Exif")));
    let mirrored = read(&harmonise(&turned(&jpeg, 2), PIXELS).unwrap(), 400, RenditionFormat::Jpeg);
    assert!(is_near(mirrored.get_pixel(40, 100).0, [20, 20, 220, 255]));
}

#[test]
fn transparency_stays_in_webp_and_is_white_in_jpeg() {
    let image = RgbaImage::from_fn(300, 300, |x, _| if x < 150 { Rgba([0, 200, 0, 255]) } else { Rgba([0, 0, 0, 0]) });
    for format in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Tiff] {
        let made = harmonise(&written(&image.clone().into(), format), PIXELS).unwrap();
        let (webp, jpeg) = (read(&made, 150, RenditionFormat::Webp), read(&made, 150, RenditionFormat::Jpeg));
        assert_eq!(webp.get_pixel(140, 75)[3], 0, "{format:?}");
        assert!(is_near(webp.get_pixel(10, 75).0, [0, 200, 0, 255]), "{format:?}");
        assert!(is_near(jpeg.get_pixel(140, 75).0, [255, 255, 255, 255]), "{format:?}");
    }
}

#[test]
fn colours_of_another_space_are_changed_to_srgb() {
    // The green of Display P3 is outside of sRGB; its grey is the same.
    let image: RgbImage = RgbImage::from_fn(200, 200, |x, _| if x < 100 { Rgb([120, 200, 90]) } else { Rgb([99; 3]) });
    let mut png = Vec::new();
    let mut encoder = image::codecs::png::PngEncoder::new(&mut png);
    encoder.set_icc_profile(ColorProfile::new_display_p3().encode().unwrap()).unwrap();
    encoder.write_image(image.as_raw(), 200, 200, image::ExtendedColorType::Rgb8).unwrap();
    let made = read(&harmonise(&png, PIXELS).unwrap(), 150, RenditionFormat::Webp);
    let (green, gray) = (made.get_pixel(30, 75).0, made.get_pixel(120, 75).0);
    assert!(is_near(gray, [99, 99, 99, 255]), "{gray:?}");
    // By the matrices of both spaces: 80, 202, 74.
    assert!(is_near(green, [80, 202, 74, 255]), "{green:?}");
}

#[test]
fn gray_and_deep_pictures_become_colour_of_eight_bits() {
    let gray: image::ImageBuffer<image::Luma<u16>, Vec<u16>> =
        image::ImageBuffer::from_pixel(200, 100, image::Luma([32896]));
    let made = harmonise(&written(&gray.into(), ImageFormat::Png), PIXELS).unwrap();
    assert!(is_near(read(&made, 150, RenditionFormat::Jpeg).get_pixel(5, 5).0, [128, 128, 128, 255]));
}

#[test]
fn damaged_pictures_are_refused_wherever_they_break() {
    for format in [ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP, ImageFormat::Tiff, ImageFormat::Bmp] {
        let whole = written(&halves(64, 48), format);
        for cut in [0, 1, 10, 40, whole.len() / 2] {
            assert!(harmonise(&whole[..cut.min(whole.len())], PIXELS).is_err(), "{format:?} cut at {cut}");
        }
    }
    assert!(harmonise(b"no picture at all", PIXELS).is_err());
}

#[test]
fn more_pixels_than_allowed_are_refused_before_there_is_memory_for_them() {
    let png = written(&halves(1000, 1000), ImageFormat::Png);
    assert!(harmonise(&png, 100_000).is_err());
}
