<?xml version="1.0" encoding="UTF-8"?>
<tileset version="1.10" tiledversion="1.10.0" name="bat_collection" tilewidth="8" tileheight="8" tilecount="1" columns="0">
 <grid orientation="orthogonal" width="1" height="1"/>
 <tile id="0" type="bat" x="2" y="2" width="8" height="8">
  <properties>
   <property name="name" value="bat_000000"/>
   <property name="score" type="float" value="0.5000"/>
   <property name="slot" type="int" value="0"/>
  </properties>
  <image source="../all.png" width="22" height="12"/>
 </tile>
</tileset>
