class_name EditorPlugin
extends Node
## What the add-on uses of the editor's class of this name, which a runtime doesn't have.

const DOCK_SLOT_RIGHT_UL := 4

var importers: Array[EditorImportPlugin] = []


func add_import_plugin(importer: EditorImportPlugin) -> void:
	importers.append(importer)


func remove_import_plugin(importer: EditorImportPlugin) -> void:
	importers.erase(importer)


func add_control_to_dock(_slot: int, control: Control) -> void:
	add_child(control)


func remove_control_from_docks(control: Control) -> void:
	remove_child(control)
