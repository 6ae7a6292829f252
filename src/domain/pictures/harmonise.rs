//! What is made of a picture: upright, in sRGB, without metadata, in four sizes, as JPEG and as WebP.

use super::decoder;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder, ImageEncoder, RgbImage};
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};
use soapstone_contracts::media::RenditionFormat;

/// The longer sides that renditions are made for, in pixels.
pub const SIZES: [u32; 4] = [150, 400, 1200, 2400];

/// As photographs need it: more is not seen, less is.
const JPEG_QUALITY: u8 = 85;
const WEBP_QUALITY: f32 = 82.0;

/// A rendition that was made.
#[derive(Clone, Debug)]
pub struct Made {
    pub size: u32,
    pub format: RenditionFormat,
    pub width: u32,
    pub height: u32,
    pub bytes: Vec<u8>,
}

/// Whether a rendition of that size would have nothing that the next smaller one has not: that one is all of the picture.
pub fn is_larger(size: u32, longer_side: u32) -> bool {
    SIZES.iter().any(|smaller| *smaller < size && *smaller >= longer_side)
}

/// Makes the renditions of a picture.
///
/// # Errors
/// Why it cannot be read.
pub fn harmonise(bytes: &[u8], most_pixels: u64) -> Result<Vec<Made>, String> {
    let mut image = upright(bytes, most_pixels)?;
    let longer = image.width().max(image.height());
    let mut made = Vec::with_capacity(2 * SIZES.len());
    for size in SIZES.into_iter().rev().filter(|size| !is_larger(*size, longer)) {
        // From one size to the next smaller: as good, and much less work.
        if let Some(smaller) = shrunk(&image, size)? {
            image = smaller;
        }
        let (width, height) = (image.width(), image.height());
        let add = |format, bytes| Made { size, format, width, height, bytes };
        made.push(add(RenditionFormat::Jpeg, jpeg(&image)?));
        made.push(add(RenditionFormat::Webp, webp(&image)?));
    }
    Ok(made)
}

/// The picture as it is looked at: turned, in sRGB, 8 bits a channel, with transparency where it had any.
fn upright(bytes: &[u8], most_pixels: u64) -> Result<DynamicImage, String> {
    let wrong = |e: image::ImageError| e.to_string();
    let format = image::guess_format(bytes).map_err(wrong)?;
    let mut decoder = decoder(bytes, format, most_pixels).map_err(wrong)?;
    let turn = decoder.orientation().map_err(wrong)?;
    // Without a profile that can be read, it is taken for sRGB.
    let profile = decoder.icc_profile().ok().flatten();
    let image = DynamicImage::from_decoder(decoder).map_err(wrong)?;
    let profile = profile.and_then(|profile| ColorProfile::new_from_slice(&profile).ok());
    let mut image = in_srgb(image, profile.as_ref());
    image.apply_orientation(turn);
    Ok(image)
}

fn in_srgb(image: DynamicImage, profile: Option<&ColorProfile>) -> DynamicImage {
    let is_gray = !image.color().has_color();
    let has_alpha = image.color().has_alpha();
    let Some(profile) = profile else { return plain(image, has_alpha) };
    // What a decoder made of other spaces, as CMYK, is RGB already, and the profile is not of it.
    let (source, pixels) = match (profile.color_space, is_gray, has_alpha) {
        (DataColorSpace::Rgb, false, false) => (Layout::Rgb, image.to_rgb8().into_raw()),
        (DataColorSpace::Rgb, false, true) => (Layout::Rgba, image.to_rgba8().into_raw()),
        (DataColorSpace::Gray, true, false) => (Layout::Gray, image.to_luma8().into_raw()),
        (DataColorSpace::Gray, true, true) => (Layout::GrayAlpha, image.to_luma_alpha8().into_raw()),
        _ => return plain(image, has_alpha),
    };
    let target = if has_alpha { Layout::Rgba } else { Layout::Rgb };
    let (width, height) = (image.width(), image.height());
    let converted = ColorProfile::new_srgb();
    let transform = profile.create_transform_8bit(source, &converted, target, TransformOptions::default());
    let length = pixels.len() / source.channels() * target.channels();
    let mut out = vec![0; length];
    if transform.and_then(|transform| transform.transform(&pixels, &mut out)).is_err() {
        return plain(image, has_alpha);
    }
    let made = if has_alpha {
        image::RgbaImage::from_raw(width, height, out).map(DynamicImage::ImageRgba8)
    } else {
        RgbImage::from_raw(width, height, out).map(DynamicImage::ImageRgb8)
    };
    made.unwrap_or_else(|| plain(image, has_alpha))
}

fn plain(image: DynamicImage, has_alpha: bool) -> DynamicImage {
    if has_alpha { image.into_rgba8().into() } else { image.into_rgb8().into() }
}

/// The picture with that longer side; None: it is not longer.
fn shrunk(image: &DynamicImage, size: u32) -> Result<Option<DynamicImage>, String> {
    let (width, height) = (image.width(), image.height());
    let longer = width.max(height);
    if longer <= size {
        return Ok(None);
    }
    let scaled = |side: u32| {
        let scaled = (u64::from(side) * u64::from(size) + u64::from(longer) / 2) / u64::from(longer);
        u32::try_from(scaled).unwrap_or(size).max(1)
    };
    let mut out = DynamicImage::new(scaled(width), scaled(height), image.color());
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3));
    Resizer::new().resize(image, &mut out, &options).map_err(|e| e.to_string())?;
    Ok(Some(out))
}

fn jpeg(image: &DynamicImage) -> Result<Vec<u8>, String> {
    let rgb = on_white(image);
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
    let written = encoder.write_image(rgb.as_raw(), rgb.width(), rgb.height(), image::ExtendedColorType::Rgb8);
    written.map_err(|e| e.to_string())?;
    Ok(bytes)
}

/// JPEG has no transparency: what is transparent is white.
fn on_white(image: &DynamicImage) -> RgbImage {
    let DynamicImage::ImageRgba8(image) = image else { return image.to_rgb8() };
    let mut rgb = RgbImage::new(image.width(), image.height());
    for (to, from) in rgb.pixels_mut().zip(image.pixels()) {
        let [red, green, blue, alpha] = from.0.map(u32::from);
        to.0 = [red, green, blue].map(|c| u8::try_from((c * alpha + 255 * (255 - alpha) + 127) / 255).unwrap_or(255));
    }
    rgb
}

fn webp(image: &DynamicImage) -> Result<Vec<u8>, String> {
    let (width, height) = (image.width(), image.height());
    let encoder = match image {
        DynamicImage::ImageRgba8(image) => webp::Encoder::from_rgba(image.as_raw(), width, height),
        DynamicImage::ImageRgb8(image) => webp::Encoder::from_rgb(image.as_raw(), width, height),
        _ => return Err("a picture that was not made plain".to_owned()),
    };
    let encoded = encoder.encode_simple(false, WEBP_QUALITY).map_err(|e| format!("WebP: {e:?}"))?;
    Ok(encoded.to_vec())
}

#[cfg(test)]
mod tests;
