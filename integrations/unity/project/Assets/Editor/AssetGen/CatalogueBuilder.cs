using System;
using System.Collections.Generic;
using System.Linq;
using UnityEditor;
using UnityEngine;

namespace AssetGen.Editor
{
    /// <summary>Builds the catalogue of a list: an asset in the folder "Resources" beside it.</summary>
    internal static class CatalogueBuilder
    {
        public static void Build(IEnumerable<string> listPaths)
        {
            foreach (var path in listPaths)
            {
                var list = SheetList.Read(path);
                if (list != null)
                {
                    Save(SheetList.Folder(path), Collect(SheetList.Folder(path), list));
                }
            }
        }

        /// <summary>The types of a list, by name, with the sprites that Unity has imported.</summary>
        private static List<SpriteCatalogue.Group> Collect(string folder, SheetList list)
        {
            var groups = new SortedDictionary<string, SpriteCatalogue.Group>(StringComparer.Ordinal);
            foreach (var sheet in list.sheets)
            {
                var path = folder + "/" + sheet.image;
                var sprites = AssetDatabase.LoadAllAssetsAtPath(path).OfType<Sprite>()
                    .GroupBy(sprite => sprite.name).ToDictionary(found => found.Key, found => found.First());
                foreach (var entry in sheet.sprites)
                {
                    Sprite sprite;
                    if (!sprites.TryGetValue(entry.name, out sprite))
                    {
                        Debug.LogWarning(path + " has no sprite " + entry.name + " yet. Reimport it.");
                        continue;
                    }
                    SpriteCatalogue.Group group;
                    if (!groups.TryGetValue(entry.type, out group))
                    {
                        group = new SpriteCatalogue.Group { type = entry.type, label = entry.label };
                        groups.Add(entry.type, group);
                    }
                    group.entries.Add(new SpriteCatalogue.Entry { name = entry.name, sprite = sprite, score = entry.score });
                }
            }
            return groups.Values.ToList();
        }

        private static void Save(string folder, List<SpriteCatalogue.Group> groups)
        {
            var resources = folder + "/Resources";
            var path = resources + "/" + SpriteCatalogue.AssetName + ".asset";
            var catalogue = AssetDatabase.LoadAssetAtPath<SpriteCatalogue>(path);
            if (catalogue == null)
            {
                if (!AssetDatabase.IsValidFolder(resources))
                {
                    AssetDatabase.CreateFolder(folder, "Resources");
                }
                catalogue = ScriptableObject.CreateInstance<SpriteCatalogue>();
                catalogue.Replace(groups);
                AssetDatabase.CreateAsset(catalogue, path);
                return;
            }
            catalogue.Replace(groups);
            EditorUtility.SetDirty(catalogue);
            AssetDatabase.SaveAssets();
        }
    }
}
