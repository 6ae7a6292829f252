//! Pictures of articles: whose they are, what is taken, and what is made of them.

mod harmonise;
mod name;

pub use harmonise::{Made, SIZES, harmonise, is_larger};
pub use name::{Meaning, NamePattern, Named, file_key};

use super::change::change;
use super::names::{Names, names, texts};
use super::{Defaults, Issue, base_name, compared};
use image::error::{LimitError, LimitErrorKind};
use image::{ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};
use soapstone_contracts::media as contract;
use soapstone_runtime::{DateTime, Nillable};
use std::io::Cursor;

/// What pictures are taken.
#[derive(Clone, Debug)]
pub struct Taking {
    pub pattern: NamePattern,
    /// The longer side that a picture should have at least, in pixels.
    pub smallest: u32,
    /// How many pixels one may have.
    pub most_pixels: u64,
    /// How many bytes.
    pub most_bytes: u64,
    /// Bytes of memory for all pictures that are decoded at once.
    pub memory: u64,
}

/// A picture as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Without a path.
    pub file_name: String,
    /// The article's number, as it is compared; it may come later.
    pub sku: Option<String>,
    pub position: Option<i32>,
    pub texts: Names,
    pub original: Original,
}

/// What the original is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Original {
    /// Hexadecimal.
    pub sha256: String,
    pub media_type: String,
    /// As it is looked at: after the turn that its metadata ask for.
    pub width: u32,
    pub height: u32,
    pub bytes: u64,
}

/// What the server knows of a picture beside what was said of it.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    pub version: i64,
    pub changed_at: chrono::NaiveDateTime,
    pub state: Option<contract::PictureState>,
    pub error: Option<String>,
    /// The articles that show it.
    pub articles: Vec<String>,
    pub renditions: Vec<contract::Rendition>,
}

impl Picture {
    /// Applies a change to a picture, or makes a new one of `original`; `named` is whose it is by its name.
    pub fn apply(
        existing: Option<Self>,
        given: contract::Picture,
        original: Option<Original>,
        named: Option<Named>,
        defaults: &Defaults,
        issues: &mut Vec<Issue>,
    ) -> Option<Self> {
        let is_new = existing.is_none();
        let mut picture = existing.unwrap_or_else(|| Self {
            file_name: compared(base_name(&given.file_name)),
            sku: None,
            position: None,
            texts: Vec::new(),
            original: Original::default(),
        });
        if let (true, Some(named)) = (is_new, named) {
            picture.sku = Some(named.sku);
            picture.position = Some(named.position);
        }
        match original {
            Some(original) => picture.original = original,
            None if is_new => {
                let issue = Issue::error("picture.no_content", "a new picture needs its content").of("content", "");
                issues.push(issue.suggest("send the picture itself with it"));
            }
            None => {}
        }
        for _ in given.clear.iter().flatten() {
            picture.texts.clear();
        }
        change(&mut picture.sku, given.sku, |sku| Ok(compared(&sku)), issues);
        change(&mut picture.position, given.position, position, issues);
        match (&picture.sku, picture.position) {
            (None, _) => picture.position = None,
            (Some(_), None) => picture.position = Some(1),
            _ => {}
        }
        if !given.text.is_empty() {
            picture.texts = names(given.text, "picture.duplicate_language", "text", defaults, issues);
        }
        issues.is_empty().then_some(picture)
    }

    /// The picture as the contract has it.
    pub fn to_contract(&self, standing: Standing) -> contract::Picture {
        let number = |pixels: u32| i32::try_from(pixels).ok();
        contract::Picture {
            version: Some(standing.version),
            if_version: None,
            changed_at: Some(DateTime::from_utc(standing.changed_at)),
            file_name: self.file_name.clone(),
            sku: self.sku.clone().map(Nillable::Value),
            position: self.position.map(Nillable::Value),
            text: texts(&self.texts),
            content: None,
            media_type: Some(self.original.media_type.clone()),
            width: number(self.original.width),
            height: number(self.original.height),
            bytes: i64::try_from(self.original.bytes).ok(),
            sha256: Some(self.original.sha256.clone()),
            state: standing.state,
            error: standing.error,
            article: standing.articles,
            rendition: standing.renditions,
            clear: None,
        }
    }
}

fn position(given: i32) -> Result<i32, Issue> {
    if given >= 1 {
        return Ok(given);
    }
    let issue = Issue::error("picture.position", "positions begin with 1").of("position", &given.to_string());
    Err(issue.suggest("give 1 for the first picture"))
}

/// Looks at a picture before it is taken: what it is, and how large. All of it is read only when its sizes are made.
///
/// # Errors
/// Why it is not taken.
pub fn look_at(bytes: &[u8], taking: &Taking, issues: &mut Vec<Issue>) -> Result<Original, Issue> {
    if bytes.len() as u64 > taking.most_bytes {
        let text = format!("the picture has {} bytes, and may have {}", bytes.len(), taking.most_bytes);
        let issue = Issue::error("picture.too_large", text).of("content", "");
        return Err(issue.suggest("send a smaller one, or raise max-picture"));
    }
    let format = image::guess_format(bytes).ok().filter(|format| media_type(*format).is_some());
    let (Some(format), Some(media_type)) = (format, format.and_then(media_type)) else {
        let issue =
            Issue::error("picture.unknown_format", "it is no picture of a kind that is known").of("content", "");
        return Err(issue.suggest("send JPEG, PNG, GIF, WebP, TIFF or BMP"));
    };
    let measured = decoder(bytes, format, taking.most_pixels).and_then(|mut decoder| {
        let turn = decoder.orientation()?.to_exif();
        let (width, height) = decoder.dimensions();
        let cost = cost(&decoder, bytes);
        // From 5 on, the metadata lay it on its side.
        Ok(if turn >= 5 { (height, width, cost) } else { (width, height, cost) })
    });
    let (width, height, cost) = measured.map_err(|error| match error {
        ImageError::Limits(_) => {
            let text = format!("the picture has more than {} pixels", taking.most_pixels);
            let issue = Issue::error("picture.too_large", text).of("content", "");
            issue.suggest("send a smaller one, or raise max-picture-pixels")
        }
        error => corrupt(&error),
    })?;
    if cost > taking.memory {
        let text = format!("the picture of {width} by {height} pixels takes more memory than all may have");
        let issue = Issue::error("picture.too_large", text).of("content", "");
        return Err(issue.suggest("send a smaller one, or raise picture-memory"));
    }
    if width.max(height) < taking.smallest {
        let text = format!("the picture is only {width} by {height} pixels");
        let issue = Issue::warning("picture.too_small", text).of("content", "");
        issues.push(issue.suggest(format!("send one of at least {} pixels", taking.smallest)));
    }
    let original = Original { media_type: media_type.to_owned(), width, height, ..Original::default() };
    Ok(Original { sha256: super::hex(&openssl::sha::sha256(bytes)), bytes: bytes.len() as u64, ..original })
}

/// Bytes of memory that a picture takes while its sizes are made: what its decoder makes of it, and two copies of what is made of
/// that.
fn cost(decoder: &impl ImageDecoder, bytes: &[u8]) -> u64 {
    /// Of a pixel of the copies.
    const COPIES: u64 = 8;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    decoder.total_bytes().saturating_add(pixels.saturating_mul(COPIES)).saturating_add(bytes.len() as u64)
}

/// Bytes of memory that it takes to make a picture's sizes, told by its header alone.
///
/// # Errors
/// Why it cannot be read.
pub fn decoding_cost(bytes: &[u8], taking: &Taking) -> Result<u64, String> {
    let format = image::guess_format(bytes).map_err(|error| error.to_string())?;
    let decoder = decoder(bytes, format, taking.most_pixels).map_err(|error| error.to_string())?;
    Ok(cost(&decoder, bytes))
}

fn corrupt(error: &ImageError) -> Issue {
    let issue = Issue::error("picture.corrupt", format!("the picture cannot be read: {error}")).of("content", "");
    issue.suggest("open it in a program for pictures and save it again")
}

fn media_type(format: ImageFormat) -> Option<&'static str> {
    use ImageFormat::{Bmp, Gif, Jpeg, Png, Tiff, WebP};
    matches!(format, Jpeg | Png | Gif | WebP | Tiff | Bmp).then(|| format.to_mime_type())
}

/// A decoder of a picture of at most so many pixels, which takes no more memory than they need.
fn decoder(bytes: &[u8], format: ImageFormat, most_pixels: u64) -> image::ImageResult<impl ImageDecoder + '_> {
    /// Of a pixel: four channels of 16 bits.
    const BYTES: u64 = 8;
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(most_pixels.saturating_mul(BYTES));
    reader.limits(limits);
    let decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > most_pixels {
        return Err(ImageError::Limits(LimitError::from_kind(LimitErrorKind::DimensionError)));
    }
    Ok(decoder)
}
