//! Dark modules on light ground, as SVG and as PNG.

use std::fmt::Write;

use aisle_http::Error;

/// A grid of modules; every module is a square of the same size.
pub struct Picture {
    /// For those who cannot see it.
    title: String,
    width: usize,
    height: usize,
    /// Row by row.
    dark: Vec<bool>,
}

impl Picture {
    /// Without any dark module. The title must not need escaping.
    pub fn light(title: &str, width: usize, height: usize) -> Self {
        Self {
            title: title.to_owned(),
            width,
            height,
            dark: vec![false; width * height],
        }
    }

    /// Makes a rectangle dark.
    pub fn darken(&mut self, x: usize, y: usize, width: usize, height: usize) {
        for row in self.dark.chunks_exact_mut(self.width).skip(y).take(height) {
            row.iter_mut()
                .skip(x)
                .take(width)
                .for_each(|dark| *dark = true);
        }
    }

    /// The same as part of a page, which says itself what it is.
    pub fn drawing(&self) -> String {
        let (width, height) = (self.width, self.height);
        let path = self.path();
        format!(
            "<svg aria-hidden=\"true\" viewBox=\"0 0 {width} {height}\" shape-rendering=\"crispEdges\"><path d=\"{path}\"/></svg>"
        )
    }

    /// One path of rectangles in units of a module, which scales without blurring.
    pub fn svg(&self, module_px: u32) -> String {
        let (width, height, px) = (self.width, self.height, module_px as usize);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{}\" height=\"{}\" \
             viewBox=\"0 0 {width} {height}\" shape-rendering=\"crispEdges\"><title>{}</title>\
             <path fill=\"#fff\" d=\"M0 0h{width}v{height}H0z\"/><path d=\"{}\"/></svg>",
            width * px,
            height * px,
            self.title,
            self.path()
        )
    }

    fn path(&self) -> String {
        let mut path = String::new();
        let rows: Vec<&[bool]> = self.dark.chunks_exact(self.width).collect();
        let mut y = 0;
        for same in rows.chunk_by(|one, next| one == next) {
            let tall = same.len();
            for (x, wide) in same.first().into_iter().flat_map(|row| runs(row)) {
                // Writing into a string cannot fail.
                let _ = write!(path, "M{x} {y}h{wide}v{tall}h-{wide}z");
            }
            y += tall;
        }
        path
    }

    /// One bit for each pixel.
    pub fn png(&self, module_px: u32) -> Result<Vec<u8>, Error> {
        let px = module_px as usize;
        let (width, height) = (self.width * px, self.height * px);
        let mut pixels = Vec::with_capacity(width.div_ceil(8) * height);
        for row in self.dark.chunks_exact(self.width) {
            let mut line = vec![0_u8; width.div_ceil(8)];
            for x in (0..width).filter(|x| !row[x / px]) {
                line[x / 8] |= 0x80 >> (x % 8);
            }
            (0..px).for_each(|_| pixels.extend_from_slice(&line));
        }
        encode(width as u32, height as u32, &pixels)
            .map_err(|error| Error::internal(error.to_string()))
    }
}

fn encode(width: u32, height: u32, pixels: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(file)
}

/// Begin and length of each run of dark modules.
fn runs(row: &[bool]) -> impl Iterator<Item = (usize, usize)> {
    let mut x = 0;
    row.chunk_by(|one, next| one == next)
        .filter_map(move |run| {
            let begin = x;
            x += run.len();
            run.first()
                .is_some_and(|dark| *dark)
                .then_some((begin, run.len()))
        })
}
