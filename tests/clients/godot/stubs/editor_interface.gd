class_name EditorInterface
extends RefCounted
## What the add-on uses of the editor's class of this name, which a runtime doesn't have.

static var _settings := Settings.new()
static var _files := Files.new()


static func get_editor_settings() -> Settings:
	return _settings


static func get_resource_filesystem() -> Files:
	return _files


class Settings:
	var held := {}

	func has_setting(setting: String) -> bool:
		return held.has(setting)

	func get_setting(setting: String) -> Variant:
		return held[setting]

	func set_setting(setting: String, value: Variant) -> void:
		held[setting] = value

	func set_initial_value(setting: StringName, _value: Variant, _update: bool) -> void:
		assert(held.has(setting))

	func add_property_info(info: Dictionary) -> void:
		assert(held.has(info.name) and typeof(held[info.name]) == info.type)


class Files:
	signal filesystem_changed

	func scan() -> void:
		filesystem_changed.emit()

	func get_filesystem() -> EditorFileSystemDirectory:
		return EditorFileSystemDirectory.new("res://")
