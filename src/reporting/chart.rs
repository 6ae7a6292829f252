//! A run's timeline as a picture: records done over time.

use std::fmt::Write;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 140.0;

/// The line and the area below it, as SVG paths, with what the axes end at.
pub struct Chart {
    pub line: String,
    pub area: String,
    pub seconds: f64,
    pub records: i64,
}

/// Draws points of (seconds, records); None if there is no line to draw.
pub fn draw(points: &[(f64, i64)]) -> Option<Chart> {
    let (seconds, records) = *points.last()?;
    if points.len() < 2 || seconds <= 0.0 || records <= 0 {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "places on a picture")]
    let place = |(at, done): (f64, i64)| (at / seconds * WIDTH, HEIGHT - done as f64 / records as f64 * HEIGHT);
    let mut line = format!("M0 {HEIGHT}");
    for point in points {
        let (x, y) = place(*point);
        let _ = write!(line, " L{x:.1} {y:.1}");
    }
    let area = format!("{line} L{WIDTH} {HEIGHT} Z");
    Some(Chart { line, area, seconds, records })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_line_needs_two_points() {
        assert!(super::draw(&[]).is_none());
        assert!(super::draw(&[(1.0, 5)]).is_none());
        let chart = super::draw(&[(1.0, 5), (2.0, 10)]).unwrap();
        assert_eq!(chart.line, "M0 140 L320.0 70.0 L640.0 0.0");
    }
}
