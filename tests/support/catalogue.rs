//! A catalogue of any size, always the same: about 940 bytes an article.

use std::io::{self, BufWriter, Write};

/// Writes a file of `count` articles, `urn:soapstone:catalog/v1`.
pub fn write(count: u32, out: impl Write) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, out);
    out.write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<articles xmlns=\"urn:soapstone:catalog/v1\">\n")?;
    for number in 1..=count {
        article(number, &mut out)?;
    }
    out.write_all(b"</articles>\n")?;
    out.flush()
}

fn article(number: u32, out: &mut impl Write) -> io::Result<()> {
    // Spreads values without repeating a pattern that a database could profit from.
    let mixed = number.wrapping_mul(2_654_435_761);
    let colour = ["schwarz", "weiß", "grün", "blau", "gelb", "naturfarben"][mixed as usize % 6];
    writeln!(
        out,
        r#"<article>
  <sku>ART-{number:07}</sku>
  <name language="de">Büroleuchte {mixed:08x} {colour}</name>
  <name language="en">Office lamp {mixed:08x}</name>
  <longText language="de">Leuchte mit stufenlos verstellbarem Arm, {watt} Watt, für Tische bis {width} cm. &lt;b&gt;Lieferung&lt;/b&gt; mit Leuchtmittel &amp; Klemme. Gehäuse aus pulverbeschichtetem Aluminium, {colour}. Ersatzteile und Zubehör sind mindestens zehn Jahre erhältlich.</longText>
  <manufacturer>Licht &amp; Söhne AG</manufacturer>
  <manufacturerNumber>LS-{mixed:x}</manufacturerNumber>
  <gtin>76{gtin:011}</gtin>
  <unit>piece</unit>
  <taxClass>standard</taxClass>
  <weight>{weight}.{grams:03}</weight>
  <listPrice currency="CHF" gross="true">{price}.{cents:02}</listPrice>
  <active>true</active>
  <availability>backOrder</availability>
  <stock>{stock}</stock>
  <attribute code="colour">{colour}</attribute>
  <attribute code="power">{watt}</attribute>
  <media role="image">leuchten/{mixed:08x}.jpg</media>
</article>"#,
        watt = 4 + mixed % 60,
        width = 60 + mixed % 140,
        gtin = u64::from(mixed) * 10 + u64::from(number % 10),
        weight = mixed % 9,
        grams = mixed % 1000,
        price = 10 + mixed % 990,
        cents = mixed % 100,
        stock = mixed % 500,
    )
}
