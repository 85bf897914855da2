//! The pictures of a pass, read by programs that are not ours: zbar and zxing-cpp.

use std::path::Path;
use std::process::Command;

use aisle_e2e::json::Look;
use aisle_e2e::python::{programs, run};
use aisle_e2e::{Pair, Setup};
use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{NOBODY, Shop, refused};

/// zxing-cpp reads, Pillow turns and dims, resvg draws the SVG.
const PACKAGES: [&str; 4] = [
    "zxing-cpp==3.1.1",
    "numpy==2.4.6",
    "Pillow==13.0.0",
    "resvg-py==0.5.0",
];
const VIEWS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/pass/views.py");
const VIEWS_PER_PICTURE: usize = 10;

/// Small, large, turned, dim and washed out: both readers read every view of every picture.
pub async fn two_readers_read_every_picture(pair: Pair) -> Result<()> {
    let readers = tokio::task::block_in_place(|| {
        run(Command::new("zbarimg").arg("--version")).context("zbarimg (Debian: zbar-tools)")?;
        programs("readers", &PACKAGES)
    });
    let readers = match readers {
        Ok(readers) => readers,
        Err(error) => {
            crate::harness::skip("pictures of passes", &format!("{error:#}"));
            return Ok(());
        }
    };
    let shop = Shop::open(Setup::demo(pair)).await?;
    shop.set_pickup("ready").await?;
    let issued = shop.pass().await?;
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(readers.join("python"));
    command.arg(VIEWS).arg(folder.path());
    for (name, url) in issued.at("/images").as_object().context("no images")? {
        let url = url.as_str().context("no URL")?;
        let path = url
            .strip_prefix(&shop.shopper.origin())
            .context("of another origin")?;
        let picture = shop.shopper.get(path).expect(200).await?;
        assert_eq!(picture.header("cache-control"), "no-store", "{path}");
        let (what, form) = name.split_once('_').context("a name")?;
        let kind = if form == "svg" {
            "image/svg+xml"
        } else {
            "image/png"
        };
        assert_eq!(picture.header("content-type"), kind, "{path}");
        let file = folder.path().join(format!("{what}.{form}"));
        std::fs::write(&file, &picture.body)?;
        command.arg(file);
    }
    let views = tokio::task::block_in_place(|| run(&mut command))?;
    let views = String::from_utf8(views.stdout)?;
    assert_eq!(views.lines().count(), 4 * VIEWS_PER_PICTURE, "{views}");
    for view in views.lines() {
        let view: Value = serde_json::from_str(view)?;
        let (expected, format) = if view.text("/picture").starts_with("qr.") {
            (issued.text("/token"), "QR Code")
        } else {
            (issued.text("/code"), "Code 128")
        };
        ensure!(
            view.list("/read").len() == 1,
            "zxing-cpp reads no or several codes: {view:#}"
        );
        assert_eq!(view.text("/read/0/text"), expected, "zxing-cpp: {view:#}");
        assert_eq!(view.text("/read/0/format"), format, "{view:#}");
        let seen = tokio::task::block_in_place(|| zbar(Path::new(view.text("/file"))))
            .with_context(|| format!("{view:#}"))?;
        assert_eq!(seen.trim(), expected, "zbar: {view:#}");
    }
    Ok(())
}

fn zbar(picture: &Path) -> Result<String> {
    let output = run(Command::new("zbarimg")
        .args(["--quiet", "--raw", "--nodbus"])
        .arg(picture))?;
    Ok(String::from_utf8(output.stdout)?)
}

pub async fn what_is_no_picture_is_refused(pair: Pair) -> Result<()> {
    let shop = Shop::open(Setup::demo(pair)).await?;
    shop.set_pickup("ready").await?;
    let issued = shop.pass().await?;
    let (order_id, pass_id) = (&shop.order_id, issued.text("/pass_id"));
    let of = |order: &str, pass: &str, image: &str| format!("/orders/{order}/pass/{pass}/{image}");
    for size in ["0", "21", "-1", "1.5", "x", "", "99999999999999999999"] {
        let path = of(order_id, pass_id, &format!("qr.png?module_px={size}"));
        let problem = refused(
            &shop.shopper.get(&path).send().await?,
            400,
            "invalid_module_px",
        );
        assert_eq!(problem["path"], "module_px");
    }
    for (image, modules) in [("qr.png", 57), ("barcode.png", 121)] {
        for module_px in [1, 20] {
            let path = of(order_id, pass_id, &format!("{image}?module_px={module_px}"));
            let picture = shop.shopper.get(&path).expect(200).await?;
            let width = picture.body.get(16..20).context("no PNG")?;
            assert_eq!(width, u32::to_be_bytes(modules * module_px), "{path}");
        }
    }
    for path in [
        of(order_id, NOBODY, "qr.svg"),
        of(NOBODY, pass_id, "qr.svg"),
        of(order_id, "no-id", "qr.svg"),
        of("no-id", pass_id, "qr.svg"),
        of(order_id, pass_id, "qr.gif"),
        of(order_id, pass_id, "qr"),
        of(order_id, pass_id, "other.svg"),
    ] {
        refused(&shop.shopper.get(&path).send().await?, 404, "not_found");
    }
    let path = of(order_id, pass_id, "qr.svg");
    shop.shopper.get(&path).expect(200).await?;
    let foreign = shop.aisle.harbor().get(&path).send().await?;
    refused(&foreign, 404, "not_found");
    Ok(())
}
