-- Left and right choose a type, space lets a random creature of it appear, and a click puts one where the mouse is.

local FOLDER = "assets/generated"
local FLOOR, HORIZON = 400, 96 -- creatures walk between these, in pixels from the top
local MOST = 120

local assetgen, sprites, types, problem
local chosen, creatures = 1, {} -- creatures in the order of their appearance
local large

function love.load()
  love.graphics.setBackgroundColor(0.11, 0.10, 0.15)
  large = love.graphics.newFont(24)
  if not love.filesystem.getInfo("assetgen/init.lua") then
    problem = "There is no loader yet. Run `assetgen integrate love` in this folder."
  elseif not love.filesystem.getInfo(FOLDER .. "/sprites.lua") then
    problem = "There are no sprites yet. Run `assetgen batch` in this folder."
  else
    assetgen = require("assetgen")
    sprites = assetgen.load(FOLDER)
    types = sprites:types()
  end
end

local function spawn(x, y)
  local sprite = sprites:random(types[chosen])
  if #creatures == MOST then
    table.remove(creatures, 1)
  end
  x = math.max(0, math.min(x - sprite.width / 2, love.graphics.getWidth() - sprite.width))
  y = math.max(HORIZON, math.min(y - sprite.height / 2, FLOOR - sprite.height))
  table.insert(creatures, { sprite = sprite, x = x, y = y, speed = love.math.random(-30, 30), age = 0 })
end

function love.keypressed(key)
  if key == "escape" then
    love.event.quit()
  elseif sprites and key == "space" then
    spawn(love.math.random(love.graphics.getWidth()), love.math.random(HORIZON, FLOOR))
  elseif sprites and (key == "left" or key == "right") then
    chosen = (chosen - 1 + (key == "right" and 1 or -1)) % #types + 1
  end
end

function love.mousepressed(x, y)
  if sprites then
    spawn(x, y)
  end
end

function love.update(dt)
  for _, creature in ipairs(creatures) do
    local right = love.graphics.getWidth() - creature.sprite.width
    creature.age = creature.age + dt
    creature.x = creature.x + creature.speed * dt
    if creature.x < 0 or creature.x > right then
      creature.speed = -creature.speed
      creature.x = math.max(0, math.min(creature.x, right))
    end
  end
end

local function title()
  love.graphics.setColor(1, 1, 1)
  local label = sprites.labels[types[chosen]]
  love.graphics.printf(("<  %s  >"):format(label), large, 0, 16, love.graphics.getWidth(), "center")
  local last = creatures[#creatures]
  local told = last and ("%s, score %.2f"):format(last.sprite.name, last.sprite.score) or "Press space."
  love.graphics.setColor(0.7, 0.68, 0.78)
  love.graphics.printf(told, 0, 56, love.graphics.getWidth(), "center")
end

function love.draw()
  if problem then
    love.graphics.printf(problem, 40, 180, love.graphics.getWidth() - 80, "center")
    return
  end
  love.graphics.setColor(0.16, 0.15, 0.21)
  love.graphics.rectangle("fill", 0, HORIZON, love.graphics.getWidth(), FLOOR - HORIZON)
  love.graphics.setColor(1, 1, 1)
  local in_depth = { unpack(creatures) }
  table.sort(in_depth, function(a, b) return a.y < b.y end) -- who is nearer stands in front
  for _, creature in ipairs(in_depth) do
    local hop = math.floor(math.abs(math.sin(creature.age * 6)) * 3)
    sprites:draw(creature.sprite, math.floor(creature.x), math.floor(creature.y) - hop)
  end
  title()
end
