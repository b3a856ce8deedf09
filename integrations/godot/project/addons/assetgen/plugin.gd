@tool
extends EditorPlugin
## Adds the importer of `.assetgen` lists and the dock that generates and previews sprites.
##
## Nothing else of the add-on is preloaded here, so that an editor too old for it gets a sentence
## and no parse errors.

const OLDEST := 0x040300  # OS.execute_with_pipe, which keeps the editor responsive, came with 4.3
const SETTING := "assetgen/command"

var _importer: EditorImportPlugin
var _dock: Control


func _enter_tree() -> void:
	var version := Engine.get_version_info()
	if version.hex < OLDEST:
		var advice := "Generated .tres files load without it."
		push_error("AssetGen needs Godot 4.3 or newer; this is %s. %s" % [version.string, advice])
		return
	var folder: String = get_script().resource_path.get_base_dir()
	_importer = load(folder.path_join("importer.gd")).new()
	add_import_plugin(_importer)
	_offer_setting()
	_dock = load(folder.path_join("dock.gd")).new()
	_dock.name = "AssetGen"
	_dock.project = ProjectSettings.globalize_path("res://")
	_dock.command = func() -> String:
		return EditorInterface.get_editor_settings().get_setting(SETTING)
	_dock.generated.connect(EditorInterface.get_resource_filesystem().scan)
	add_control_to_dock(DOCK_SLOT_RIGHT_UL, _dock)
	EditorInterface.get_resource_filesystem().filesystem_changed.connect(_show_lists)
	_show_lists()


func _exit_tree() -> void:
	if _dock == null:
		return
	EditorInterface.get_resource_filesystem().filesystem_changed.disconnect(_show_lists)
	remove_control_from_docks(_dock)
	_dock.free()
	remove_import_plugin(_importer)


## The program's name or path is a setting of the editor, not of the project: it differs between
## machines.
func _offer_setting() -> void:
	var settings := EditorInterface.get_editor_settings()
	if not settings.has_setting(SETTING):
		settings.set_setting(SETTING, "assetgen")
	settings.set_initial_value(SETTING, "assetgen", false)
	settings.add_property_info(
		{"name": SETTING, "type": TYPE_STRING, "hint": PROPERTY_HINT_GLOBAL_FILE}
	)


func _show_lists() -> void:
	var lists := PackedStringArray()
	_find_lists(EditorInterface.get_resource_filesystem().get_filesystem(), lists)
	_dock.show_lists(lists)


func _find_lists(directory: EditorFileSystemDirectory, lists: PackedStringArray) -> void:
	if directory == null:  # the editor hasn't scanned the project yet
		return
	for index in directory.get_file_count():
		if directory.get_file(index).get_extension() == "assetgen":
			lists.append(directory.get_file_path(index))
	for index in directory.get_subdir_count():
		_find_lists(directory.get_subdir(index), lists)
