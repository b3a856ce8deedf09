//! `probe ASSETS LIST`: prints, a line each, the sprites of a list as Bevy would find them: name, type, score, picture,
//! and the rectangle that `TextureAtlas::index` leads to.
use serde::de::DeserializeOwned;
use serde::Deserialize;
use std::{env, fs, process::exit};

// glam's UVec2 (de)serialises as a tuple struct of two numbers
#[derive(Deserialize)]
struct UVec2(u32, u32);

// bevy_math::URect and bevy_image::TextureAtlasLayout, field for field; unknown fields would be an error
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct URect {
    min: UVec2,
    max: UVec2,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TextureAtlasLayout {
    size: UVec2,
    textures: Vec<URect>,
}

// as integrations/bevy/README.md gives them to a game
#[derive(Deserialize)]
struct SpriteList {
    sheets: Vec<SheetEntry>,
}

#[derive(Deserialize)]
struct SheetEntry {
    image: String,
    layout: String,
    label: String,
    sprites: Vec<SpriteEntry>,
}

#[derive(Deserialize)]
struct SpriteEntry {
    name: String,
    r#type: String,
    score: f32,
    trim: Option<(u32, u32, u32, u32)>,
}

fn read<T: DeserializeOwned>(path: &str) -> T {
    let text = fs::read_to_string(path).unwrap_or_else(|error| fail(path, &error.to_string()));
    ron::from_str(&text).unwrap_or_else(|error| fail(path, &error.to_string()))
}

fn fail(path: &str, told: &str) -> ! {
    eprintln!("{}: {}", path, told);
    exit(1)
}

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let list: SpriteList = read(&arguments[2]);
    for sheet in list.sheets {
        let path = format!("{}/{}", arguments[1], sheet.layout);
        let layout: TextureAtlasLayout = read(&path);
        if layout.textures.len() != sheet.sprites.len() {
            fail(&path, "a layout has a texture for each sprite of the list");
        }
        for (sprite, texture) in sheet.sprites.iter().zip(&layout.textures) {
            let URect { min, max } = texture;
            assert!(min.0 < max.0 && max.0 <= layout.size.0 && min.1 < max.1 && max.1 <= layout.size.1);
            println!(
                "{}\t{}\t{}\t{}\t{}\t{} {} {} {}\t{:?}",
                sprite.name, sprite.r#type, sprite.score, sheet.image, sheet.label, min.0, min.1, max.0, max.1,
                sprite.trim
            );
        }
    }
}
