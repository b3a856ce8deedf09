@tool
extends RefCounted
## Builds SpriteFrames from a `.assetgen` list. Uses nothing of the editor, so that a running game
## can build them too.
##
## Each type is one animation, whose frames are its sprites: AtlasTextures that know their name
## (`resource_name`) and have the metadata `type` and `score` (how sure the classifier is of the
## type, 0–1).

const FORMAT := 1

## What was wrong in the last call, where it was and what to do; empty: nothing.
var error := ""

var _sheets := {}


## The SpriteFrames of all types, or null where `error` says why not.
func build(path: String) -> SpriteFrames:
	var frames := SpriteFrames.new()
	frames.remove_animation(&"default")
	_sheets.clear()
	for group: Dictionary in read(path):
		var type := StringName(group.type)
		frames.add_animation(type)
		frames.set_animation_loop(type, false)
		frames.set_animation_speed(type, 0.0)  # its frames are different creatures, not moments of one
		for sprite: Dictionary in group.sprites:
			var texture := _cut(path, group.type, sprite)
			if texture == null:
				return null
			frames.add_frame(type, texture)
	return frames if error.is_empty() else null


## The list's types as they stand in the file, each with `type`, `label` and `sprites`; none where
## `error` says why.
func read(path: String) -> Array:
	error = ""
	var text := FileAccess.get_file_as_string(path)
	var json := JSON.new()
	if FileAccess.get_open_error() != OK:
		return _fail("%s can't be read (%s)." % [path, error_string(FileAccess.get_open_error())])
	if json.parse(text) != OK:
		var what := [path, json.get_error_line() + 1, json.get_error_message()]
		return _fail("%s, line %d: %s. Run `assetgen batch` again." % what)
	var list: Dictionary = json.data if json.data is Dictionary else {}
	var format: Variant = list.get("format")
	if not (format is float and format == FORMAT):
		var what := [path, format, FORMAT]
		return _fail("%s has the format %s, not %d. Run `assetgen integrate godot`." % what)
	var types: Array = list.get("types") if list.get("types") is Array else [null]
	if not types.all(_is_type):
		return _fail("%s isn't a list of sprites. Run `assetgen batch` again." % path)
	return types


func _is_type(group: Variant) -> bool:
	return (
		group is Dictionary
		and group.get("type") is String
		and group.type != ""
		and group.get("sprites") is Array
		and group.sprites.all(_is_sprite)
	)


func _is_sprite(sprite: Variant) -> bool:
	return (
		sprite is Dictionary
		and sprite.get("name") is String
		and sprite.get("image") is String
		and _is_rect(sprite.get("region"))
		and _is_rect(sprite.get("margin", [0.0, 0.0, 0.0, 0.0]))
		and sprite.get("score") is float
	)


func _is_rect(numbers: Variant) -> bool:
	return numbers is Array and numbers.size() == 4 and numbers.all(_is_number)


func _is_number(value: Variant) -> bool:
	return value is float


func _fail(message: String) -> Array:
	error = message
	return []


## One sprite as an AtlasTexture. Godot takes a region outside its texture in silence; this doesn't.
func _cut(path: String, type: String, sprite: Dictionary) -> AtlasTexture:
	var image: String = path.get_base_dir().path_join(sprite.image).simplify_path()
	if not _sheets.has(image):
		_sheets[image] = load(image) as Texture2D if ResourceLoader.exists(image) else null
	var sheet: Texture2D = _sheets[image]
	if sheet == null:
		error = "%s: its sheet %s can't be loaded. Run `assetgen batch` again." % [path, image]
		return null
	var region := _rect(sprite.region)
	if not region.has_area() or not Rect2(Vector2.ZERO, sheet.get_size()).encloses(region):
		var what := [path, sprite.name, image]
		error = "%s: %s lies outside its sheet %s. Run `assetgen batch` again." % what
		return null
	var texture := AtlasTexture.new()
	texture.resource_name = sprite.name
	texture.atlas = sheet
	texture.region = region
	texture.margin = _rect(sprite.get("margin", [0.0, 0.0, 0.0, 0.0]))
	texture.filter_clip = true
	texture.set_meta(&"type", type)
	texture.set_meta(&"score", sprite.score)
	return texture


func _rect(numbers: Array) -> Rect2:
	return Rect2(numbers[0], numbers[1], numbers[2], numbers[3])
