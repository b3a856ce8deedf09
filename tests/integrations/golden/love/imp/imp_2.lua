return {
  format = 1,
  image = "imp/imp_2.png",
  width = 22, height = 12,
  sprites = {
    { name = "imp_000004", type = "imp", x = 2, y = 2, width = 8, height = 8, score = 0.7500 },
  },
}
