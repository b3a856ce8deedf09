@tool
extends EditorImportPlugin
## Imports a `.assetgen` list as SpriteFrames: `load("res://assets/generated/sprites.assetgen")`.

const Builder := preload("builder.gd")


func _get_importer_name() -> String:
	return "assetgen.sprite_frames"


func _get_visible_name() -> String:
	return "SpriteFrames"


func _get_recognized_extensions() -> PackedStringArray:
	return ["assetgen"]


func _get_save_extension() -> String:
	return "res"


func _get_resource_type() -> String:
	return "SpriteFrames"


func _get_preset_count() -> int:
	return 1


func _get_preset_name(_preset: int) -> String:
	return "Default"


func _get_import_options(_path: String, _preset: int) -> Array[Dictionary]:
	return []


func _get_option_visibility(_path: String, _option: StringName, _options: Dictionary) -> bool:
	return true


func _get_priority() -> float:
	return 1.0


## After textures, whose import the builder needs.
func _get_import_order() -> int:
	return IMPORT_ORDER_DEFAULT + 1


## The builder loads sheets that other threads may be importing.
func _can_import_threaded() -> bool:
	return false


func _import(
	source: String,
	save_path: String,
	_options: Dictionary,
	_variants: Array[String],
	_files: Array[String]
) -> Error:
	var builder := Builder.new()
	var frames := builder.build(source)
	if frames == null:
		push_error(builder.error)
		return ERR_FILE_CORRUPT
	return ResourceSaver.save(
		frames, "%s.%s" % [save_path, _get_save_extension()], ResourceSaver.FLAG_COMPRESS
	)
