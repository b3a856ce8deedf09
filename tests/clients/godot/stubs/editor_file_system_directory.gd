class_name EditorFileSystemDirectory
extends RefCounted
## What the add-on uses of the editor's class of this name, which a runtime doesn't have.

var _path: String


func _init(path: String) -> void:
	_path = path


func get_file_count() -> int:
	return DirAccess.get_files_at(_path).size()


func get_file(index: int) -> String:
	return DirAccess.get_files_at(_path)[index]


func get_file_path(index: int) -> String:
	return _path.path_join(get_file(index))


func get_subdir_count() -> int:
	return DirAccess.get_directories_at(_path).size()


func get_subdir(index: int) -> EditorFileSystemDirectory:
	return new(_path.path_join(DirAccess.get_directories_at(_path)[index]))
