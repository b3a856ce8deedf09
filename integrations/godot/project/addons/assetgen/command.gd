@tool
extends RefCounted
## One run of the `assetgen` command line beside the editor: two threads read its pipes, signals
## come in the main thread.

## A line of progress, where the program tells it.
signal progressed(what: String, done: int, total: int)
## The program has ended, having written this. Its exit code isn't told: several versions of Godot
## give 0 for a program that has failed (godot#106644, godot#111029).
signal ended(out: String, err: String)

## Whether `stop` has ended it.
var stopped := false

var _pid := -1
var _out := Thread.new()
var _err := Thread.new()
var _line := RegEx.create_from_string("^progress: (.+) (\\d+)/(\\d+)$")


## Whether it could be started. Keep a reference to this object until `ended`.
func start(program: String, arguments: PackedStringArray) -> bool:
	OS.set_environment("ASSETGEN_PROGRESS", "lines")  # instead of a bar, which is for terminals
	var process := OS.execute_with_pipe(program, arguments)
	OS.unset_environment("ASSETGEN_PROGRESS")
	if process.is_empty():
		return false
	_pid = process.pid
	_out.start(_read.bind(process.stdio))
	_err.start(_read.bind(process.stderr))
	_wait.call_deferred()
	return true


## Ends it now. That is safe: assetgen publishes all or nothing, and the next run begins anew.
func stop() -> void:
	if OS.is_process_running(_pid):
		stopped = true
		OS.kill(_pid)


## Stops it and waits for its threads: an editor that closes must not leave them.
func close() -> void:
	stop()
	for thread: Thread in [_out, _err]:
		if thread.is_started():
			thread.wait_to_finish()


## In a thread: everything up to the pipe's end, but lines of progress, which are told at once.
func _read(pipe: FileAccess) -> String:
	var lines := PackedStringArray()
	while pipe.is_open() and pipe.get_error() == OK:
		var line := pipe.get_line()
		var found := _line.search(line)
		if found:
			var numbers := [found.get_string(2).to_int(), found.get_string(3).to_int()]
			_tell.call_deferred(found.get_string(1), numbers[0], numbers[1])
		else:
			lines.append(line)
	return "\n".join(lines).strip_edges()


func _tell(what: String, done: int, total: int) -> void:
	progressed.emit(what, done, total)


func _wait() -> void:
	var tree: SceneTree = Engine.get_main_loop()
	while _out.is_alive() or _err.is_alive() or OS.is_process_running(_pid):
		await tree.process_frame
	if not _out.is_started():  # closed meanwhile
		return
	var out: String = _out.wait_to_finish()
	var err: String = _err.wait_to_finish()
	ended.emit(out, err)
