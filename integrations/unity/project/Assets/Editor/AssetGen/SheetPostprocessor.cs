using System.Linq;
using UnityEditor;
using UnityEngine;

namespace AssetGen.Editor
{
    /// <summary>
    /// Cuts generated sheets as their list says, whatever their .meta says or doesn't, and keeps the catalogue.
    /// A .meta that `assetgen batch` has written agrees with the list, and nothing is changed then.
    /// </summary>
    internal sealed class SheetPostprocessor : AssetPostprocessor
    {
        public override uint GetVersion()
        {
            return 1;
        }

        private void OnPreprocessTexture()
        {
            var sheet = SheetList.For(assetPath);
            if (sheet == null)
            {
                return;
            }
            var importer = (TextureImporter)assetImporter;
            if (importer.importSettingsMissing) // else somebody may have chosen what is there
            {
                importer.filterMode = FilterMode.Point;
                importer.textureCompression = TextureImporterCompression.Uncompressed;
                importer.mipmapEnabled = false;
                importer.npotScale = TextureImporterNPOTScale.None;
                importer.spritePixelsPerUnit = sheet.sprites.Max(sprite => sprite.height);
            }
            importer.textureType = TextureImporterType.Sprite;
            importer.spriteImportMode = SpriteImportMode.Multiple;
            var side = Mathf.NextPowerOfTwo(Mathf.Max(sheet.width, sheet.height));
            if (importer.maxTextureSize < side) // Unity would shrink the sheet, and say nothing
            {
                importer.maxTextureSize = side;
            }
            SheetCutter.Cut(importer, sheet);
        }

        private static void OnPostprocessAllAssets(string[] imported, string[] deleted, string[] moved, string[] movedFrom)
        {
            var lists = imported.Concat(moved)
                .Where(path => path.EndsWith(".png") || path.EndsWith("/" + SheetList.FileName))
                .Select(SheetList.PathFor)
                .Where(path => path != null)
                .Distinct()
                .ToArray();
            if (lists.Length > 0)
            {
                // not now: an asset must not be created while others are being imported
                EditorApplication.delayCall += () => CatalogueBuilder.Build(lists);
            }
        }
    }
}
