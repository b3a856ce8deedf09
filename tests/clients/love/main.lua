-- Prints, a line each, what the loader makes of every sprite: name, type, score, size, and the pixels that it draws.
local assetgen = require("assetgen")

local function pixels(sprites, sprite)
  local canvas = love.graphics.newCanvas(sprite.width, sprite.height)
  love.graphics.setCanvas(canvas)
  love.graphics.clear(0, 0, 0, 0)
  love.graphics.setBlendMode("replace", "premultiplied") -- the very bytes of the sheet, not blended with anything
  sprites:draw(sprite, 0, 0)
  love.graphics.setCanvas()
  return love.data.encode("string", "base64", canvas:newImageData():getString(), 0)
end

function love.load(arguments)
  local good, problem = pcall(function()
    local sprites = assetgen.load(arguments[1])
    for _, kind in ipairs(sprites:types()) do
      for _, sprite in ipairs(sprites:all(kind)) do
        assert(sprites:get(sprite.name) == sprite and sprites:random(kind).type == kind)
        print(table.concat({ "sprite", sprite.name, sprite.type, sprite.score, sprite.width, sprite.height,
          pixels(sprites, sprite) }, "\t"))
      end
    end
    for kind, label in pairs(sprites.labels) do
      print(table.concat({ "label", kind, label }, "\t"))
    end
    local found, told = pcall(sprites.random, sprites, "no such type")
    print(table.concat({ "unknown", tostring(found), told }, "\t"))
  end)
  if not good then
    print("error\t" .. problem)
  end
  love.event.quit(good and 0 or 1)
end
