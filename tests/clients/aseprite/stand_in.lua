-- Runs the script for Aseprite with stand-ins of Aseprite's objects, and prints what it made.
--   lua5.4 stand_in.lua SCRIPT SHEET MODE          MODE: of the sheet's picture, "rgb" or "indexed"
-- Reads the sheet as Lua, SHEET.lua, since Lua has no JSON of its own. Every call that Aseprite doesn't have is an error.

local script, path, mode = table.unpack(arg)

local function strict(name, fields)
  return setmetatable(fields, { __index = function(_, key) error(name .. " has no " .. tostring(key)) end })
end

ColorMode = strict("ColorMode", { RGB = 0, INDEXED = 2 })
json = strict("json", { decode = function(text)
  assert(text == io.open(path, "rb"):read("a"), "decodes another text than the sheet's")
  return dofile(path .. ".lua")
end })

function Rectangle(x, y, width, height) return { x = x, y = y, width = width, height = height } end
function Point(x, y) return { x = x, y = y } end
function ImageSpec(spec) return spec end
function Palette(options) return { file = assert(options.fromFile) } end
function Image(first, rectangle)
  if rawget(first, "fromFile") then
    local colours = mode == "indexed" and ColorMode.INDEXED or ColorMode.RGB
    return strict("Image", { file = first.fromFile, colorMode = colours, spec = { transparentColor = 3 } })
  end
  return strict("Image", { file = first.file, part = assert(rectangle) })
end

local made
function Sprite(spec)
  assert(not made, "makes a second sprite")
  made = strict("Sprite", { spec = spec, layers = { { name = "Layer 1" } }, frames = { { frameNumber = 1 } }, tags = {}, cels = {}, palette = false, saved = false })
  function made:newEmptyFrame(number)
    assert(number == #self.frames + 1, "frames out of order")
    self.frames[number] = { frameNumber = number }
    return self.frames[number]
  end
  function made:newCel(layer, frame, image, position)
    assert(layer == self.layers[1] and self.frames[frame.frameNumber] == frame)
    local cel = { frame = frame, image = image, position = position }
    self.cels[#self.cels + 1] = cel
    return cel
  end
  function made:newTag(from, to)
    assert(1 <= from and from <= to and to <= #self.frames, "a tag outside the frames")
    self.tags[#self.tags + 1] = { from = from, to = to }
    return self.tags[#self.tags]
  end
  function made:setPalette(palette) self.palette = palette.file end
  function made:saveAs(file) self.saved = file end
  return made
end

app = strict("app", {
  params = { sheet = path, save = "out.aseprite" },
  isUIAvailable = false,
  transaction = function(work) work() end,
  fs = strict("app.fs", {
    joinPath = function(folder, name) return folder .. "/" .. name end,
    filePath = function(file) return (file:match("^(.*)/[^/]*$")) end,
    isFile = function(file)
      local found = io.open(file, "rb")
      if found then found:close() end
      return found ~= nil
    end,
  }),
})

dofile(script)

print("sprite", made.spec.width, made.spec.height, made.spec.colorMode, made.spec.transparentColor, made.palette, made.saved)
print("layer", made.layers[1].name)
for number, cel in ipairs(made.cels) do
  assert(cel.frame.frameNumber == number)
  local part = cel.image.part
  print("cel", cel.data, cel.image.file, part.x, part.y, part.width, part.height, cel.position.x, cel.position.y, cel.frame.duration)
end
for _, tag in ipairs(made.tags) do print("tag", tag.name, tag.from, tag.to) end
